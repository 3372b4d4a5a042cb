// AnswerStream: a request's events as server-sent events.
//
// Not thread-safe: the client's thread only. Its end cancels what is not done.
#ifndef LTRI_SERVE_ANSWER_STREAM_H_
#define LTRI_SERVE_ANSWER_STREAM_H_

#include <memory>
#include <string>
#include <vector>

#include "serve/reply_builder.h"
#include "serve/ticket.h"

namespace ltri {

class AnswerStream {
 public:
  AnswerStream(std::shared_ptr<Ticket> ticket, const ReplyBuilder& builder);
  ~AnswerStream() { ticket_->Cancel(); }
  AnswerStream(const AnswerStream&) = delete;
  AnswerStream& operator=(const AnswerStream&) = delete;

  // What came since the last call, after a wait of up to a second; a comment when nothing did for long, so that the
  // client's absence is noticed.
  std::string Next();

  bool done() const { return done_; }

 private:
  void Write(const GenerateEvent& event, std::string* out);
  void Open(int choice, std::string* out);
  void End(const AnswerEnded& ended, std::string* out);

  std::shared_ptr<Ticket> ticket_;
  ReplyBuilder builder_;
  std::vector<bool> opened_;          // [choices]
  std::vector<WholeAnswer> answers_;  // [choices] while they cannot be read yet
  int silent_ = 0;                    // calls
  bool done_ = false;
};

}  // namespace ltri

#endif  // LTRI_SERVE_ANSWER_STREAM_H_
