// GenerateRequest: what a client asks of the model, as the scheduler takes it.
#ifndef LTRI_SERVE_GENERATE_REQUEST_H_
#define LTRI_SERVE_GENERATE_REQUEST_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/session_impl.h"
#include "ltri/options.h"
#include "text/grammar.h"

namespace ltri {

struct GenerateRequest {
  std::vector<TokenId> prompt;
  SessionOptions session;
  // What has read a text already, which the prompt follows; null: an empty session, or one of the prefix cache.
  std::unique_ptr<Session::Impl> start;
  bool reuse = true;  // take from the prefix cache and leave what was read there

  int choices = 1;  // answers; answer i is sampled with sampling.seed + i
  int64_t max_tokens = 256;
  SamplingOptions sampling;
  std::shared_ptr<const Grammar> grammar;  // null: any answer
  std::vector<std::string> stops;          // texts that end an answer and are not part of it
  std::vector<TokenId> shown;              // control tokens whose names are part of the text
  bool ignore_end = false;
  bool logprobs = false;
  int top_logprobs = 0;

  int priority = 0;                                  // higher goes first
  std::function<void(const Session::Impl&)> on_end;  // with the session of answer 0, before it is given up
};

}  // namespace ltri

#endif  // LTRI_SERVE_GENERATE_REQUEST_H_
