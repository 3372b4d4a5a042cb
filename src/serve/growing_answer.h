// GrowingAnswer: one answer to a request while it grows.
//
// Not thread-safe: the scheduler's thread only.
#ifndef LTRI_SERVE_GROWING_ANSWER_H_
#define LTRI_SERVE_GROWING_ANSWER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "engine/sampler.h"
#include "engine/session_impl.h"
#include "serve/generate_request.h"
#include "serve/stop_scan.h"
#include "serve/ticket.h"
#include "text/utf8.h"

namespace ltri {

class GrowingAnswer {
 public:
  // session: has read the prompt, all but its last token. Error kInvalidArgument: a sampling option or the grammar.
  static Result<GrowingAnswer> Begin(const GenerateRequest& request, int choice,
                                     std::unique_ptr<Session::Impl> session);

  // Takes the next token from the session's logits and tells the ticket of it.
  void TakeToken(const GenerateRequest& request, Ticket& ticket);

  bool ended() const { return ended_; }
  int64_t tokens() const { return tokens_; }
  Session::Impl& session() { return *session_; }
  std::unique_ptr<Session::Impl> TakeSession() { return std::move(session_); }

 private:
  GrowingAnswer(int choice, std::unique_ptr<Session::Impl> session, Sampler sampler, StopScan stops)
      : choice_(choice), session_(std::move(session)), sampler_(std::move(sampler)), stops_(std::move(stops)) {}

  void Emit(Ticket& ticket, std::string text);
  void End(Ticket& ticket, AnswerEnd why);

  int choice_;
  std::unique_ptr<Session::Impl> session_;
  Sampler sampler_;
  StopScan stops_;
  Utf8Stream characters_;
  std::deque<TokenLogprob> waiting_;  // until the text before the token's end has gone out
  int64_t bytes_ = 0;                 // of the answer's text, held back or not
  int64_t out_ = 0;                   // bytes that went out
  int64_t tokens_ = 0;
  int64_t untold_ = 0;  // tokens that no event counted yet
  bool ended_ = false;
};

}  // namespace ltri

#endif  // LTRI_SERVE_GROWING_ANSWER_H_
