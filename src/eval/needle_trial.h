// NeedleTrial: one needle prompt read and answered under one setting.
#ifndef LTRI_EVAL_NEEDLE_TRIAL_H_
#define LTRI_EVAL_NEEDLE_TRIAL_H_

#include <memory>
#include <vector>

#include "eval/needle.h"
#include "eval/trial.h"

namespace ltri {

struct NeedleTrial : TrialAnswer {
  bool correct = false;       // the number is in it
  double recall_first = 0;    // evidence recall at the first answer token, retrieval heads
  double recall_eight = 0;    // mean over the first eight answer tokens, retrieval heads
  double recall_layers = 0;   // at the first answer token, mean over full-attention layers
  std::vector<float> layers;  // at the first answer token, a layer each
};

// table: retrieval scores [layers * heads] that weigh the recalls; empty: all full-attention heads alike.
Result<NeedleTrial> RunNeedle(const std::shared_ptr<Model>& model, const SessionOptions& options,
                              const NeedlePrompt& prompt, const std::vector<float>& table,
                              const ProgressCallback& progress = {}, TrialTrace* trace = nullptr);

}  // namespace ltri

#endif  // LTRI_EVAL_NEEDLE_TRIAL_H_
