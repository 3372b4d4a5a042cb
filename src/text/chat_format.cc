#include "text/chat_format.h"

#include <fmt/format.h>

#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "llama.h"
#include "log.h"
#include "text/chat_templates.h"
#include "text/llama_log.h"
#include "text/utf8.h"

namespace ltri {
namespace {

// Stands for a reply whose text is already in the session. Plain words, so that no template escapes or trims it.
constexpr const char* kReply = "LtriReplyPlaceholder5b1f";

void SilenceCommonLog() {
  static std::once_flag once;
  std::call_once(once, [] { common_log_set_verbosity_thold(-1); });
}

}  // namespace

std::string OneLine(const std::string& text) {
  constexpr size_t kEnough = 300;
  std::string line;
  for (const char c : text.substr(0, kEnough)) line += c == '\n' ? ' ' : c;
  return line;
}

Result<std::shared_ptr<ChatFormat>> ChatFormat::Create(std::shared_ptr<const Tokenizer> tokenizer) {
  SilenceLlamaLog();
  SilenceCommonLog();
  if (llama_model_chat_template(tokenizer->model(), nullptr) == nullptr) {
    return Error{ErrorCode::kUnsupported,
                 "the model has no chat template (it is probably a base model); use --raw to continue a text as it is"};
  }
  auto impl = std::make_unique<Impl>();
  try {
    impl->templates = common_chat_templates_init(tokenizer->model(), "");
  } catch (const std::exception& e) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("the model's chat template cannot be read ({}); use --raw to do without", OneLine(e.what()))};
  }
  impl->tokenizer = std::move(tokenizer);
  return std::shared_ptr<ChatFormat>(new ChatFormat(std::move(impl)));
}

ChatFormat::ChatFormat(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChatFormat::~ChatFormat() = default;

Result<std::string> ChatFormat::Format(std::span<const ChatMessage> messages, bool add_generation_prompt) const {
  if (messages.empty()) return Error{ErrorCode::kInvalidArgument, "a conversation needs at least one message"};
  common_chat_templates_inputs inputs;
  inputs.add_generation_prompt = add_generation_prompt;
  inputs.force_pure_content = true;  // text in, text out; nothing of it is parsed back
  for (size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    if (const auto at = FindInvalidUtf8(message.content)) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("message {} ({}) is not UTF-8 at byte {}", i + 1, message.role, *at)};
    }
    common_chat_msg converted;
    converted.role = message.role;
    converted.content = message.content;
    inputs.messages.push_back(std::move(converted));
  }
  try {
    return common_chat_templates_apply(impl_->templates.get(), inputs).prompt;
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the model's chat template refuses the conversation: {}", OneLine(e.what()))};
  }
}

Result<std::string> ChatFormat::FormatNext(std::span<const ChatMessage> seen, const ChatMessage& next) const {
  std::vector<ChatMessage> all(seen.begin(), seen.end());
  const bool replied = !all.empty() && all.back().role == "assistant";
  if (replied) all.back().content = kReply;
  std::string before;
  if (!all.empty() && !replied) {
    auto formatted = Format(all, false);
    if (!formatted.ok()) return formatted.error();
    before = *std::move(formatted);
  }
  all.push_back(next);
  auto whole = Format(all, true);
  if (!whole.ok()) return whole.error();
  if (replied) {
    const size_t at = whole->find(kReply);
    if (at != std::string::npos) return whole->substr(at + std::char_traits<char>::length(kReply));
  } else if (whole->starts_with(before)) {
    return whole->substr(before.size());
  }
  return Error{ErrorCode::kUnsupported,
               "the model's chat template rewrites earlier turns, so a conversation cannot go on from them; use --raw"};
}

std::string ChatFormat::source() const { return common_chat_templates_source(impl_->templates.get()); }

}  // namespace ltri
