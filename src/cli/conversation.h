// Conversation: turns of a person and a model in one session, which reads each turn once.
#ifndef LTRI_CLI_CONVERSATION_H_
#define LTRI_CLI_CONVERSATION_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "ltri/session.h"

namespace ltri {

class Conversation {
 public:
  struct Opening {
    std::string system;     // what the model is told about its part; may be empty
    std::string documents;  // put before the first question; may be empty
  };

  // Errors: those of Session::Create, and kUnsupported when the model has no chat template.
  static Result<Conversation> Create(std::shared_ptr<Model> model, const SessionOptions& options, Opening opening);

  // Documents that were read before: a session that has read them, whenever it is asked for, and what to append to it
  // for the first question.
  struct Documents {
    std::function<Result<Session>()> open;
    std::function<Result<std::vector<TokenId>>(const std::string& question)> first_question;
  };
  static Result<Conversation> About(std::shared_ptr<Model> model, Documents documents);

  // Reads the question and answers it. When reading is stopped or fails, the turn is taken back; when the callback
  // stops the answer, what was said of it stays. Errors: kInvalidArgument (not UTF-8), kCancelled, kOutOfMemory.
  Status Ask(const std::string& question, const GenerateOptions& options, ProgressLine& line,
             const TextCallback& callback);

  // Takes back the last question and its answer; false when there is none.
  Result<bool> Undo();
  Status Reset();

 private:
  Conversation(std::shared_ptr<Model> model, Documents documents, Opening opening, Session session);

  Result<std::vector<TokenId>> TokensOf(const ChatMessage& question) const;
  Status TakeBack(int64_t tokens);

  std::shared_ptr<Model> model_;
  Documents documents_;  // first_question: none without documents
  Opening opening_;
  Session session_;
  int64_t begin_;  // tokens of the session before the first question
  std::vector<ChatMessage> messages_;
  std::vector<int64_t> turns_;  // how many tokens the session had before each question
};

}  // namespace ltri

#endif  // LTRI_CLI_CONVERSATION_H_
