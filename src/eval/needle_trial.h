// NeedleTrial: one needle prompt read and answered under one setting.
#ifndef LTRI_EVAL_NEEDLE_TRIAL_H_
#define LTRI_EVAL_NEEDLE_TRIAL_H_

#include <memory>
#include <string>
#include <vector>

#include "eval/needle.h"
#include "ltri/session.h"

namespace ltri {

// Of which layer and tokens to keep band and spans, for a picture.
struct NeedleTrace {
  int64_t layer = 0;
  TokenRange tokens;
};

struct NeedleTrial {
  std::string text;           // what was generated
  bool correct = false;       // the number is in it
  double recall_first = 0;    // evidence recall at the first answer token, retrieval heads
  double recall_eight = 0;    // mean over the first eight answer tokens, retrieval heads
  double recall_layers = 0;   // at the first answer token, mean over full-attention layers
  std::vector<float> layers;  // at the first answer token, a layer each
  double prefill_seconds = 0;
  double first_token_seconds = 0;  // from the start of reading
  double decode_seconds = 0;
  int64_t answer_tokens = 0;
  MemoryUse memory;
  BandRecord band;              // only with a trace
  std::vector<SpanInfo> spans;  // of the traced layer
};

// table: retrieval scores [layers * heads] that weigh the recalls; empty: all full-attention heads alike.
Result<NeedleTrial> RunNeedle(const std::shared_ptr<Model>& model, const SessionOptions& options,
                              const NeedlePrompt& prompt, const std::vector<float>& table,
                              const ProgressCallback& progress = {}, const NeedleTrace* trace = nullptr);

}  // namespace ltri

#endif  // LTRI_EVAL_NEEDLE_TRIAL_H_
