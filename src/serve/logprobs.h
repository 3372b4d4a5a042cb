// Log-probabilities of tokens, from the model's logits before any sampling option changes them.
#ifndef LTRI_SERVE_LOGPROBS_H_
#define LTRI_SERVE_LOGPROBS_H_

#include <span>

#include "serve/generate_event.h"
#include "text/tokenizer.h"

namespace ltri {

// Of `token` and of the `top` likeliest. logits: [vocabulary].
TokenLogprob LogprobOf(std::span<const float> logits, TokenId token, int top, const Tokenizer& tokenizer);

}  // namespace ltri

#endif  // LTRI_SERVE_LOGPROBS_H_
