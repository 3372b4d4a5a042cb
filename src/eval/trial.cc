#include "eval/trial.h"

#include <chrono>

#include "eval/evidence.h"

namespace ltri {
namespace {

constexpr int64_t kRecallTokens = 8;

}  // namespace

Result<TrialAnswer> RunTrial(const std::shared_ptr<Model>& model, const SessionOptions& options,
                             const TrialPrompt& prompt, const ProgressCallback& progress, TrialTrace* trace) {
  Result<Session> session = Session::Create(model, options);
  if (!session.ok()) return session.error();
  if (trace != nullptr) session->RecordBand(trace->layer, trace->tokens);
  TrialAnswer answer;
  answer.prompt_tokens = static_cast<int64_t>(prompt.tokens.size());
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  if (Status status = session->Append(prompt.tokens, progress); !status.ok()) return status.error();
  if (Status status = session->FinishPrompt(); !status.ok()) return status.error();
  answer.prefill_seconds = seconds();

  GenerateOptions generate;
  generate.max_tokens = prompt.max_tokens;
  generate.ignore_end = prompt.ignore_end;
  int64_t tokens = 0;
  int64_t watched = 0;
  bool stopped = false;
  Result<Generation> generation = session->Generate(generate, [&](std::string_view) {
    if (++tokens == 1) {
      answer.first_token_seconds = seconds();
      if (prompt.dense != nullptr) answer.mass = prompt.dense->MassVisible(*session);
    }
    if (!prompt.evidence.empty() && watched < kRecallTokens) {
      const std::vector<float> now = EvidenceRecalls(*session, model->info(), prompt.evidence);
      if (watched++ == 0) answer.heads_first = now;
      answer.heads_mean.resize(now.size(), 0.0F);
      for (size_t i = 0; i < now.size(); ++i) answer.heads_mean[i] += now[i];
    }
    stopped = progress && !progress({answer.prompt_tokens, answer.prompt_tokens, seconds()});
    return !stopped;
  });
  if (!generation.ok()) return generation.error();
  if (stopped) return Error{ErrorCode::kCancelled, "stopped within an answer"};
  for (float& recall : answer.heads_mean) recall /= static_cast<float>(watched);
  answer.decode_seconds = seconds() - answer.prefill_seconds;
  answer.answer_tokens = static_cast<int64_t>(generation->tokens.size());
  answer.text = std::move(generation->text);
  answer.memory = session->memory();
  if (trace != nullptr) {
    trace->band = session->band();
    trace->spans = session->Spans(trace->layer);
  }
  return answer;
}

}  // namespace ltri
