// A sample as tokens of a model, with the tokens of its evidence.
#ifndef LTRI_EVAL_RUN_TOKEN_PROMPT_H_
#define LTRI_EVAL_RUN_TOKEN_PROMPT_H_

#include <optional>
#include <string>

#include "eval/sample.h"
#include "eval/trial.h"

namespace ltri {

// What a chat template puts around a user's turn.
struct ChatFrame {
  std::string before;
  std::string after;
};

// Error kUnsupported when the model has no chat template, or one that changes what it is given.
Result<ChatFrame> FindChatFrame(const Model& model);

// frame: none to continue the prompt as text. The prompt's own text never becomes control tokens.
Result<TrialPrompt> TokenizeSample(const Model& model, const Sample& sample, const std::optional<ChatFrame>& frame);

}  // namespace ltri

#endif  // LTRI_EVAL_RUN_TOKEN_PROMPT_H_
