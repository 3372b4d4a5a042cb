#include "eval/needle_trial.h"

#include <utility>

#include "eval/evidence.h"

namespace ltri {
namespace {

constexpr int64_t kAnswerTokens = 12;  // seven digits, one a token in some vocabularies, and what comes before them

}  // namespace

Result<NeedleTrial> RunNeedle(const std::shared_ptr<Model>& model, const SessionOptions& options,
                              const NeedlePrompt& prompt, const std::vector<float>& table,
                              const ProgressCallback& progress, TrialTrace* trace) {
  const ModelInfo& info = model->info();
  const TrialPrompt asked{prompt.tokens, {prompt.evidence}, kAnswerTokens, /*ignore_end=*/true, nullptr};
  Result<TrialAnswer> answer = RunTrial(model, options, asked, progress, trace);
  if (!answer.ok()) return answer.error();
  NeedleTrial trial;
  static_cast<TrialAnswer&>(trial) = std::move(*answer);
  trial.correct = trial.text.find(prompt.answer) != std::string::npos;
  trial.recall_first = WeightedRecall(trial.heads_first, table, info);
  trial.recall_eight = WeightedRecall(trial.heads_mean, table, info);
  trial.recall_layers = WeightedRecall(trial.heads_first, {}, info);
  trial.layers = RecallByLayer(trial.heads_first, info.heads);
  return trial;
}

}  // namespace ltri
