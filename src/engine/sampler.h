// Sampler: the next token from a row of logits, by SamplingOptions.
//
// Deterministic: the same options and the same logits give the same tokens. Not thread-safe: one per sequence.
#ifndef LTRI_ENGINE_SAMPLER_H_
#define LTRI_ENGINE_SAMPLER_H_

#include <cstdint>
#include <memory>
#include <span>

#include "ltri/options.h"
#include "ltri/result.h"
#include "text/grammar.h"
#include "text/tokenizer.h"

namespace ltri {

class Sampler {
 public:
  // vocabulary: how many logits a row has. Error kInvalidArgument names the option that is out of range.
  static Result<Sampler> Create(const SamplingOptions& options, int64_t vocabulary);

  ~Sampler();
  Sampler(Sampler&&) noexcept;
  Sampler& operator=(Sampler&&) noexcept;

  // From now on only tokens that `grammar` allows are chosen. Error kInvalidArgument: it cannot be read.
  Status Constrain(const Grammar& grammar, std::shared_ptr<const Tokenizer> tokenizer);

  // Chooses a token, remembers it for the penalties, and returns it. logits: [vocabulary], left as they are. Greedy
  // ties go to the lowest id. NaN is never chosen; a row without any usable logit gives token 0, or, constrained, the
  // token that ends a text.
  TokenId Sample(std::span<const float> logits);

  // Remembers a token that was not sampled here, for instance one of the prompt.
  void Accept(TokenId token);

  // A copy with the same state: both go on alike.
  Sampler Clone() const;

 private:
  struct Impl;
  explicit Sampler(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The index of the largest logit; the lowest of equals; NaN never, and 0 when nothing is above -infinity.
TokenId ArgMax(std::span<const float> logits);

}  // namespace ltri

#endif  // LTRI_ENGINE_SAMPLER_H_
