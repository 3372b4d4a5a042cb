#include "library/prompt_frame.h"

#include <fmt/format.h>

#include "engine/engine.h"

namespace ltri {
namespace {

constexpr std::string_view kPlace = "<[document and question]>";

}  // namespace

Result<PromptFrame> PromptFrame::Create(const Model& model, bool plain) {
  PromptFrame frame;
  if (plain) return frame;
  const ChatMessage message{"user", std::string(kPlace)};
  const Result<std::string> chat = model.FormatChat({&message, 1});
  if (!chat.ok() && chat.error().code == ErrorCode::kUnsupported) return frame;
  if (!chat.ok()) return chat.error();
  const size_t at = chat->find(kPlace);
  if (at == std::string::npos || chat->find(kPlace, at + 1) != std::string::npos) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: its chat template changes what a person says; use --plain", model.info().path)};
  }
  frame.before_ = chat->substr(0, at);
  frame.after_ = chat->substr(at + kPlace.size());
  return frame;
}

Result<std::vector<TokenId>> PromptFrame::Opening(const Model& model) const {
  if (plain()) return std::vector<TokenId>();
  return model.Tokenize(before_, /*begin=*/true, /*control=*/true);
}

Result<std::vector<TokenId>> PromptFrame::Question(const Model& model, std::string_view question) const {
  const Tokenizer& tokenizer = model.engine().tokenizer();
  Result<std::vector<TokenId>> tokens = tokenizer.EncodeNext("\n\n" + std::string(question), /*parse_special=*/false);
  if (!tokens.ok()) return tokens.error();
  const Result<std::vector<TokenId>> after = tokenizer.EncodeNext(after_, /*parse_special=*/true);
  if (!after.ok()) return after.error();
  tokens->insert(tokens->end(), after->begin(), after->end());
  return tokens;
}

}  // namespace ltri
