// DenseAttention: where dense attention would look, to say how much of that a method could see.
#ifndef LTRI_EVAL_DENSE_ATTENTION_H_
#define LTRI_EVAL_DENSE_ATTENTION_H_

#include <cstdint>
#include <span>
#include <vector>

#include "ltri/session.h"

namespace ltri {

class DenseAttention {
 public:
  // Reads the prompt densely and keeps the attention of its last token, the step before the answer's first token:
  // 4 bytes a head and token.
  static Result<DenseAttention> Measure(Model& model, std::span<const TokenId> prompt);

  // The share of the dense attention probability that falls on what `session` could see at its last step, which read
  // the same token: mean over the heads of layers that see all. 0..1
  double MassVisible(const Session& session) const;

 private:
  int64_t heads_ = 0;
  int64_t keys_ = 0;
  std::vector<std::vector<float>> sums_;  // [layers] of [heads * (keys + 1)], sums over keys; empty: a sliding window
};

}  // namespace ltri

#endif  // LTRI_EVAL_DENSE_ATTENTION_H_
