// Second look at a step's attention: true probabilities of local keys, from the log-sum-exp that Attend returned.
#ifndef LTRI_OPS_LOCAL_PROBABILITY_H_
#define LTRI_OPS_LOCAL_PROBABILITY_H_

#include <cstdint>

#include "ops/attend.h"

namespace ltri {

// band[i][lag - 1] = sum over all heads of the probability that query i gives to the key `lag` tokens before it,
// lag in [1, width]; 0 where the query does not see that key. band: [queries, width].
// Only args.groups' local runs are read; every group must have the same number of local keys.
void SpanBand(ThreadPool& pool, const AttendArgs& args, const float* lse, int64_t width, float* band);

// received[h][t] += sum over queries of the probability that head h gives to local key t. received: [heads, local
// keys].
void ReceivedAttention(ThreadPool& pool, const AttendArgs& args, const float* lse, float* received);

}  // namespace ltri

#endif  // LTRI_OPS_LOCAL_PROBABILITY_H_
