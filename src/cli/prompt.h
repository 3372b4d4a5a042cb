// From a person's text to what a session has read.
#ifndef LTRI_CLI_PROMPT_H_
#define LTRI_CLI_PROMPT_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/progress.h"
#include "ltri/model.h"
#include "ltri/session.h"

namespace ltri {

// Does the model's file tell how a conversation is written? Error: it does, but the template cannot be used.
Result<bool> HasChatTemplate(const Model& model);

// The tokens of `formatted`, a piece of a conversation around `content`, a person's words. Names of control tokens
// within those words stay mere text. begin: the session is still empty.
Result<std::vector<TokenId>> TokenizeTurn(const Model& model, const std::string& formatted, std::string_view content,
                                          bool begin);

// `text` without white space at its ends.
std::string Trimmed(std::string_view text);

// Appends the tokens and reads them all, with one progress over both. Error kCancelled after Ctrl-C.
Status ReadPrompt(Session& session, std::span<const TokenId> tokens, ProgressLine& line);

}  // namespace ltri

#endif  // LTRI_CLI_PROMPT_H_
