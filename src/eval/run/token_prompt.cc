#include "eval/run/token_prompt.h"

#include <fmt/format.h>

#include "eval/tasks/token_meter.h"

namespace ltri {
namespace {

constexpr const char* kPlaceholder = "(the prompt)";

Status Extend(const Model& model, std::string_view text, bool begin, bool control, std::vector<TokenId>* tokens) {
  const Result<std::vector<TokenId>> more = model.Tokenize(text, begin, control);
  if (!more.ok()) return more.error();
  tokens->insert(tokens->end(), more->begin(), more->end());
  return {};
}

}  // namespace

Result<ChatFrame> FindChatFrame(const Model& model) {
  const ChatMessage message{"user", kPlaceholder};
  const Result<std::string> text = model.FormatChat({&message, 1});
  if (!text.ok()) return text.error();
  const size_t at = text->find(kPlaceholder);
  if (at == std::string::npos) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("the chat template of {} does not show the user's text as it is", model.info().path)};
  }
  return ChatFrame{text->substr(0, at), text->substr(at + std::string_view(kPlaceholder).size())};
}

Result<TrialPrompt> TokenizeSample(const Model& model, const Sample& sample, const std::optional<ChatFrame>& frame) {
  const bool chat = frame.has_value() && !sample.plain;
  TrialPrompt prompt;
  prompt.max_tokens = sample.max_tokens;
  if (Status status = Extend(model, chat ? frame->before : "", true, true, &prompt.tokens); !status.ok()) {
    return status.error();
  }
  const auto start = static_cast<int64_t>(prompt.tokens.size());
  const std::string body = chat ? sample.prompt : sample.prompt + sample.answer_prefix;
  const Result<std::vector<TokenId>> tokens = model.Tokenize(body, /*begin=*/false, /*control=*/false);
  if (!tokens.ok()) return tokens.error();
  prompt.tokens.insert(prompt.tokens.end(), tokens->begin(), tokens->end());
  if (!sample.evidence.empty()) {
    const std::vector<size_t> ends = TokenEnds(model, *tokens, body);
    for (const ByteRange& bytes : sample.evidence) {
      const TokenRange range = TokensWithin(ends, bytes);
      prompt.evidence.push_back({start + range.begin, start + range.end});
    }
  }
  if (!chat) return prompt;
  if (Status status = Extend(model, frame->after, false, true, &prompt.tokens); !status.ok()) return status.error();
  if (sample.answer_prefix.empty()) return prompt;
  if (Status status = Extend(model, sample.answer_prefix, false, false, &prompt.tokens); !status.ok()) {
    return status.error();
  }
  return prompt;
}

}  // namespace ltri
