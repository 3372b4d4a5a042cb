// Softmax of one query's relevances, and how decided it is.
#ifndef LTRI_OPS_VOTE_H_
#define LTRI_OPS_VOTE_H_

#include <cstdint>

namespace ltri {

// x = softmax(x) over count > 0 values. Returns its entropy in nats.
float SoftmaxWithEntropy(float* x, int64_t count);

// The sum of x[i] * y[i].
float Dot(const float* x, const float* y, int64_t count);

}  // namespace ltri

#endif  // LTRI_OPS_VOTE_H_
