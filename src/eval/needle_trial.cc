#include "eval/needle_trial.h"

#include <chrono>

#include "eval/evidence.h"

namespace ltri {
namespace {

constexpr int64_t kAnswerTokens = 12;  // seven digits, one a token in some vocabularies, and what comes before them
constexpr size_t kRecallTokens = 8;

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

}  // namespace

Result<NeedleTrial> RunNeedle(const std::shared_ptr<Model>& model, const SessionOptions& options,
                              const NeedlePrompt& prompt, const std::vector<float>& table,
                              const ProgressCallback& progress, const NeedleTrace* trace) {
  const ModelInfo& info = model->info();
  Result<Session> session = Session::Create(model, options);
  if (!session.ok()) return session.error();
  if (trace != nullptr) session->RecordBand(trace->layer, trace->tokens);
  NeedleTrial trial;
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  if (Status status = session->Append(prompt.tokens, progress); !status.ok()) return status.error();
  if (Status status = session->FinishPrompt(); !status.ok()) return status.error();
  trial.prefill_seconds = seconds();

  GenerateOptions generate;
  generate.max_tokens = kAnswerTokens;
  generate.ignore_end = true;
  std::vector<double> recalls;
  Result<Generation> answer = session->Generate(generate, [&](std::string_view) {
    ++trial.answer_tokens;
    if (trial.answer_tokens == 1) trial.first_token_seconds = seconds();
    if (recalls.size() >= kRecallTokens) return true;
    const std::vector<float> now = EvidenceRecalls(*session, info, prompt.evidence);
    recalls.push_back(WeightedRecall(now, table, info));
    if (recalls.size() > 1) return true;
    trial.recall_layers = WeightedRecall(now, {}, info);
    for (int64_t layer = 0; layer < info.layers; ++layer) {
      float sum = 0;
      for (int64_t head = 0; head < info.heads; ++head) sum += now[static_cast<size_t>(layer * info.heads + head)];
      trial.layers.push_back(sum / static_cast<float>(info.heads));
    }
    return true;
  });
  if (!answer.ok()) return answer.error();
  trial.decode_seconds = seconds() - trial.prefill_seconds;
  trial.text = answer->text;
  trial.correct = answer->text.find(prompt.answer) != std::string::npos;
  trial.recall_first = recalls.empty() ? 0.0 : recalls[0];
  trial.recall_eight = Mean(recalls);
  trial.memory = session->memory();
  if (trace != nullptr) {
    trial.band = session->band();
    trial.spans = session->Spans(trace->layer);
  }
  return trial;
}

}  // namespace ltri
