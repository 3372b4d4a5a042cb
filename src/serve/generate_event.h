// GenerateEvent: what becomes of a request, as the scheduler tells it to the client's thread.
#ifndef LTRI_SERVE_GENERATE_EVENT_H_
#define LTRI_SERVE_GENERATE_EVENT_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ltri/options.h"
#include "ltri/result.h"

namespace ltri {

// How much of the prompt has been read.
struct PromptProgress {
  int64_t total = 0;   // tokens
  int64_t cached = 0;  // of them, not read because the prefix cache had them
  int64_t read = 0;    // those of the cache among them
  double seconds = 0;  // since reading began
};

struct TokenChance {
  TokenId token = 0;
  std::string bytes;
  float logprob = 0;
};

struct TokenLogprob {
  TokenChance chosen;
  int64_t begin = 0;             // of its text, in bytes of the answer
  std::vector<TokenChance> top;  // the likeliest first
};

// More of an answer: whole characters.
struct AnswerText {
  int choice = 0;
  std::string text;
  int64_t tokens = 0;                  // since the last event of this answer
  std::vector<TokenLogprob> logprobs;  // of those whose text this is; empty unless asked for
};

enum class AnswerEnd { kModel, kStop, kLength };  // the model's own, a stop text, max_tokens

struct AnswerEnded {
  int choice = 0;
  AnswerEnd why = AnswerEnd::kModel;
};

struct RequestEnded {
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;
  int64_t answer_tokens = 0;  // of all answers
  double queue_seconds = 0;   // before its turn came
  double prompt_seconds = 0;  // until the first token
  double answer_seconds = 0;  // from then on
};

struct RequestFailed {
  Error error;
};

using GenerateEvent = std::variant<PromptProgress, AnswerText, AnswerEnded, RequestEnded, RequestFailed>;

}  // namespace ltri

#endif  // LTRI_SERVE_GENERATE_EVENT_H_
