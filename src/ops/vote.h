// One query's relevance of all spans, turned into votes.
#ifndef LTRI_OPS_VOTE_H_
#define LTRI_OPS_VOTE_H_

#include <cstdint>

namespace ltri {

// votes[s] += weight * p[s], p = softmax over s of relevance[s]. by_entropy: weight is also multiplied by
// 1 - entropy(p) / ln(max(count, 2)): a head that cannot decide has no say. relevance is overwritten.
void AddSoftmaxVote(float* relevance, int64_t count, float weight, bool by_entropy, float* votes);

}  // namespace ltri

#endif  // LTRI_OPS_VOTE_H_
