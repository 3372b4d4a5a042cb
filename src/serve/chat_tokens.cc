#include "serve/chat_tokens.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace ltri {
namespace {

// A text that names control tokens, and the plain words that stand for it in the template.
struct Hidden {
  std::string words;
  std::string text;
};

// Puts plain words in the place of `text` if it names control tokens.
void Hide(const Model& model, Json* text, std::vector<Hidden>* hidden) {
  const auto& content = text->get_ref<const std::string&>();
  const Result<std::vector<TokenId>> plain = model.Tokenize(content, false, /*control=*/false);
  const Result<std::vector<TokenId>> control = model.Tokenize(content, false, /*control=*/true);
  if (!plain.ok() || !control.ok() || *plain == *control) return;
  hidden->push_back({fmt::format("LtriHiddenWords{}x7d20", hidden->size()), content});
  *text = hidden->back().words;
}

void HideAll(const Model& model, Json* messages, std::vector<Hidden>* hidden) {
  for (Json& message : *messages) {
    Json& content = message["content"];
    if (content.is_string()) Hide(model, &content, hidden);
    if (!content.is_array()) continue;
    for (Json& part : content) Hide(model, &part["text"], hidden);
  }
}

}  // namespace

Result<ChatTokens> TokenizeChat(const Model& model, const ChatFormat& format, const Json& messages, ChatRequest chat) {
  Json shown = messages;
  std::vector<Hidden> hidden;
  HideAll(model, &shown, &hidden);
  chat.messages = Dump(shown);
  Result<ChatPrompt> prompt = format.Prompt(chat);
  if (!prompt.ok()) return prompt.error();

  ChatTokens result;
  const auto add = [&](std::string_view text, bool control) -> Status {
    Result<std::vector<TokenId>> tokens = model.Tokenize(text, result.tokens.empty(), control);
    if (!tokens.ok()) return tokens.error();
    result.tokens.insert(result.tokens.end(), tokens->begin(), tokens->end());
    return {};
  };
  size_t at = 0;
  for (const Hidden& words : hidden) {
    const size_t place = prompt->text.find(words.words, at);
    if (place == std::string::npos) continue;  // the template leaves this message out
    if (Status status = add(std::string_view(prompt->text).substr(at, place - at), true); !status.ok()) {
      return status.error();
    }
    if (Status status = add(words.text, false); !status.ok()) return status.error();
    at = place + words.words.size();
  }
  if (Status status = add(std::string_view(prompt->text).substr(at), true); !status.ok()) return status.error();
  result.prompt = std::move(*prompt);
  return result;
}

}  // namespace ltri
