// A conversation as tokens, in which nothing that a person wrote is a control token.
#ifndef LTRI_SERVE_CHAT_TOKENS_H_
#define LTRI_SERVE_CHAT_TOKENS_H_

#include <vector>

#include "ltri/model.h"
#include "serve/json_fields.h"
#include "text/chat_format.h"
#include "text/chat_prompt.h"

namespace ltri {

struct ChatTokens {
  std::vector<TokenId> tokens;
  ChatPrompt prompt;
};

// messages: as OpenAI's clients send them; `chat` brings the tools, its own messages are set here. Errors: the
// template's, and kInvalidArgument.
Result<ChatTokens> TokenizeChat(const Model& model, const ChatFormat& format, const Json& messages, ChatRequest chat);

}  // namespace ltri

#endif  // LTRI_SERVE_CHAT_TOKENS_H_
