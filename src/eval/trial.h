// Trial: one prompt read and answered by a session, timed, with what was visible meanwhile.
#ifndef LTRI_EVAL_TRIAL_H_
#define LTRI_EVAL_TRIAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eval/dense_attention.h"
#include "ltri/session.h"

namespace ltri {

// What an answer was, and what it took. Fields that a target cannot know stay as they are.
struct TrialAnswer {
  std::string text;
  int64_t prompt_tokens = 0;
  int64_t answer_tokens = 0;
  double prefill_seconds = 0;
  double first_token_seconds = 0;  // from the start of reading
  double decode_seconds = 0;
  MemoryUse memory;
  // Evidence recall, 0..1; empty where the evidence is not known. [layers * heads]
  std::vector<float> heads_first;  // at the answer's first token
  std::vector<float> heads_mean;   // over its first eight
  double mass = -1;                // of dense attention on what was visible at the first token, 0..1; < 0: not measured
};

// Of which layer and tokens to keep band and spans, for a picture.
struct TrialTrace {
  int64_t layer = 0;
  TokenRange tokens;
  BandRecord band;              // filled in
  std::vector<SpanInfo> spans;  // filled in
};

struct TrialPrompt {
  std::vector<TokenId> tokens;
  std::vector<TokenRange> evidence;       // may be empty
  int64_t max_tokens = 0;                 // of the answer
  bool ignore_end = false;                // always so many
  const DenseAttention* dense = nullptr;  // of the same prompt, to measure the mass; null: it is not measured
};

Result<TrialAnswer> RunTrial(const std::shared_ptr<Model>& model, const SessionOptions& options,
                             const TrialPrompt& prompt, const ProgressCallback& progress = {},
                             TrialTrace* trace = nullptr);

}  // namespace ltri

#endif  // LTRI_EVAL_TRIAL_H_
