#include "serve/chat_tokens.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace ltri {
namespace {

constexpr std::string_view kWords = "LtriHiddenWords";
constexpr std::string_view kWordsEnd = "x7d20";

// Texts that name control tokens. In the template plain words stand for them: those of number i for texts_[i].
class HiddenTexts {
 public:
  explicit HiddenTexts(const Model& model) : model_(model) {}

  void HideMessages(Json* messages) {
    for (Json& message : *messages) {
      Json& content = message["content"];
      if (content.is_array()) HideParts(&content);
      for (const char* name : {"content", "name", "reasoning_content", "tool_call_id"}) {
        if (message.contains(name)) Hide(&message[name]);
      }
      if (!message.contains("tool_calls") || !message["tool_calls"].is_array()) continue;
      for (Json& call : message["tool_calls"]) HideCall(&call);
    }
  }

  // The next words from `at` on, their place and the text that they stand for; null at the end.
  const std::string* Find(std::string_view text, size_t at, size_t* place, size_t* length) const {
    for (*place = text.find(kWords, at); *place != std::string_view::npos; *place = text.find(kWords, *place + 1)) {
      const char* const digits = text.data() + *place + kWords.size();
      size_t number = 0;
      const auto [end, failed] = std::from_chars(digits, text.data() + text.size(), number);
      const std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
      if (failed != std::errc() || number >= texts_.size() || !rest.starts_with(kWordsEnd)) continue;
      *length = static_cast<size_t>(end - text.data()) - *place + kWordsEnd.size();
      return &texts_[number];
    }
    return nullptr;
  }

 private:
  bool NamesControl(const std::string& text) const {
    const Result<std::vector<TokenId>> plain = model_.Tokenize(text, false, /*control=*/false);
    const Result<std::vector<TokenId>> control = model_.Tokenize(text, false, /*control=*/true);
    return (plain.ok() && control.ok() && *plain != *control) || text.find(kWords) != std::string::npos;
  }

  std::string Add(std::string text) {
    texts_.push_back(std::move(text));
    return fmt::format("{}{}{}", kWords, texts_.size() - 1, kWordsEnd);
  }

  void Hide(Json* text) {
    if (text->is_string() && NamesControl(text->get_ref<const std::string&>())) *text = Add(text->get<std::string>());
  }

  // A template may put them one behind the other, so that a name which is cut in two becomes whole.
  void HideParts(Json* parts) {
    std::string whole;
    for (const Json& part : *parts) whole += part["text"].get_ref<const std::string&>();
    if (!NamesControl(whole)) return;
    for (Json& part : *parts) {
      if (!part["text"].get_ref<const std::string&>().empty()) part["text"] = Add(part["text"].get<std::string>());
    }
  }

  void HideCall(Json* call) {
    if (!call->is_object()) return;
    if (call->contains("id")) Hide(&(*call)["id"]);
    if (!call->contains("function") || !(*call)["function"].is_object()) return;
    Json& function = (*call)["function"];
    if (function.contains("name")) Hide(&function["name"]);
    if (!function.contains("arguments")) return;
    Json& arguments = function["arguments"];
    Json values = arguments.is_string() ? Json::parse(arguments.get_ref<const std::string&>(), nullptr, false) : Json();
    if (values.is_discarded() || values.is_null()) return Hide(&arguments);
    // A template may write them anew, so names may hide behind escapes.
    if (HideValues(&values)) arguments = Dump(values);
  }

  // In JSON that becomes text again.
  bool HideValues(Json* value) {
    if (value->is_string()) {
      if (!NamesControl(value->get_ref<const std::string&>())) return false;
      const std::string quoted = Dump(*value);
      *value = Add(quoted.substr(1, quoted.size() - 2));
      return true;
    }
    bool any = false;
    if (value->is_object()) {
      Json renamed = Json::object();
      for (auto& [name, item] : value->items()) {
        Json key = name;
        any = HideValues(&key) || any;
        any = HideValues(&item) || any;
        renamed[key.get<std::string>()] = item;
      }
      *value = std::move(renamed);
    } else if (value->is_array()) {
      for (Json& item : *value) any = HideValues(&item) || any;
    }
    return any;
  }

  const Model& model_;
  std::vector<std::string> texts_;
};

}  // namespace

Result<ChatTokens> TokenizeChat(const Model& model, const ChatFormat& format, const Json& messages, ChatRequest chat) {
  Json shown = messages;
  HiddenTexts hidden(model);
  hidden.HideMessages(&shown);
  chat.messages = Dump(shown);
  Result<ChatPrompt> prompt = format.Prompt(chat);
  if (!prompt.ok()) return prompt.error();

  ChatTokens result;
  const auto add = [&](std::string_view text, bool control) -> Status {
    Result<std::vector<TokenId>> tokens = result.tokens.empty() ? model.Tokenize(text, /*begin=*/true, control)
                                                                : model.engine().tokenizer().EncodeNext(text, control);
    if (!tokens.ok()) return tokens.error();
    result.tokens.insert(result.tokens.end(), tokens->begin(), tokens->end());
    return {};
  };
  const std::string_view whole = prompt->text;
  size_t at = 0;
  size_t place = 0;
  size_t length = 0;
  while (const std::string* text = hidden.Find(whole, at, &place, &length)) {
    if (Status status = add(whole.substr(at, place - at), true); !status.ok()) return status.error();
    if (Status status = add(*text, false); !status.ok()) return status.error();
    at = place + length;
  }
  if (Status status = add(whole.substr(at), true); !status.ok()) return status.error();
  result.prompt = std::move(*prompt);
  return result;
}

}  // namespace ltri
