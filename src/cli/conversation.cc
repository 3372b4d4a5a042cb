#include "cli/conversation.h"

#include <fmt/format.h>

#include "cli/prompt.h"

namespace ltri {

namespace {

Status CheckTemplate(const Model& model) {
  const Result<bool> has_template = HasChatTemplate(model);
  if (!has_template.ok()) return has_template.error();
  if (*has_template) return {};
  return Error{ErrorCode::kUnsupported,
               fmt::format("{} has no chat template: it continues texts, see `ltri run`", model.info().path)};
}

}  // namespace

Result<Conversation> Conversation::Create(std::shared_ptr<Model> model, const SessionOptions& options,
                                          Opening opening) {
  if (Status status = CheckTemplate(*model); !status.ok()) return status.error();
  Documents none;
  none.open = [model, options] { return Session::Create(model, options); };
  Result<Session> session = none.open();
  if (!session.ok()) return session.error();
  return Conversation(std::move(model), std::move(none), std::move(opening), std::move(*session));
}

Result<Conversation> Conversation::About(std::shared_ptr<Model> model, Documents documents) {
  if (Status status = CheckTemplate(*model); !status.ok()) return status.error();
  Result<Session> session = documents.open();
  if (!session.ok()) return session.error();
  return Conversation(std::move(model), std::move(documents), {}, std::move(*session));
}

Conversation::Conversation(std::shared_ptr<Model> model, Documents documents, Opening opening, Session session)
    : model_(std::move(model)),
      documents_(std::move(documents)),
      opening_(std::move(opening)),
      session_(std::move(session)),
      begin_(static_cast<int64_t>(session_.tokens().size())) {}

Result<std::vector<TokenId>> Conversation::TokensOf(const ChatMessage& question) const {
  const bool first = messages_.empty();
  if (first && documents_.first_question) return documents_.first_question(question.content);
  std::vector<ChatMessage> messages = messages_;
  if (first && !opening_.system.empty()) messages.push_back({"system", opening_.system});
  if (first) messages.push_back(question);
  const Result<std::string> text = first ? model_->FormatChat(messages) : model_->FormatChatNext(messages, question);
  if (!text.ok()) return text.error();
  Result<std::vector<TokenId>> tokens = TokenizeTurn(*model_, *text, question.content, first);
  // The text begins with the end of the answer's turn, which the model may have written itself.
  const std::vector<TokenId>& read = session_.tokens();
  if (tokens.ok() && !first && !tokens->empty() && tokens->front() == read.back()) tokens->erase(tokens->begin());
  return tokens;
}

Status Conversation::TakeBack(int64_t tokens) {
  if (tokens > begin_) return session_.Truncate(tokens);
  Result<Session> fresh = documents_.open();
  if (!fresh.ok()) return fresh.error();
  session_ = std::move(*fresh);
  return {};
}

Status Conversation::Ask(const std::string& question, const GenerateOptions& options, ProgressLine& line,
                         const TextCallback& callback) {
  const bool first = messages_.empty();
  const bool with_documents = first && !opening_.documents.empty();
  const ChatMessage message = {"user", Trimmed(with_documents ? opening_.documents + "\n\n" + question : question)};
  const Result<std::vector<TokenId>> tokens = TokensOf(message);
  if (!tokens.ok()) return tokens.error();
  const auto before = static_cast<int64_t>(session_.tokens().size());
  if (Status status = ReadPrompt(session_, *tokens, line); !status.ok()) {
    if (Status back = TakeBack(before); !back.ok()) return back;
    return status;
  }
  const Result<Generation> answer = session_.Generate(options, callback);
  if (!answer.ok()) return answer.error();
  if (first && !opening_.system.empty()) messages_.push_back({"system", opening_.system});
  messages_.push_back(message);
  messages_.push_back({"assistant", answer->text});
  turns_.push_back(before);
  return {};
}

Result<bool> Conversation::Undo() {
  if (turns_.empty()) return false;
  if (Status status = TakeBack(turns_.back()); !status.ok()) return status.error();
  turns_.pop_back();
  messages_.resize(turns_.empty() ? 0 : messages_.size() - 2);
  return true;
}

Status Conversation::Reset() {
  messages_.clear();
  turns_.clear();
  return TakeBack(begin_);
}

}  // namespace ltri
