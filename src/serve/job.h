// Job: a request while the scheduler serves it.
#ifndef LTRI_SERVE_JOB_H_
#define LTRI_SERVE_JOB_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/session_impl.h"
#include "serve/generate_request.h"
#include "serve/growing_answer.h"
#include "serve/ticket.h"

namespace ltri {

struct Job {
  GenerateRequest request;
  std::shared_ptr<Ticket> ticket;
  double submitted = 0;  // seconds on the scheduler's clock, like all times here

  // Since its turn came.
  double started = 0;
  double last_turn = 0;  // of its prompt
  bool has_begun = false;
  int64_t prompt_tokens = 0;               // the text that it goes on from included
  int64_t cached = 0;                      // of them, read before
  std::unique_ptr<Session::Impl> session;  // reads the prompt; null once the answers have it

  // Since the prompt was read.
  std::vector<GrowingAnswer> answers;
  double last_token = 0;  // 0: none came yet
  double first_token = 0;

  bool answering() const { return session == nullptr; }
};

}  // namespace ltri

#endif  // LTRI_SERVE_JOB_H_
