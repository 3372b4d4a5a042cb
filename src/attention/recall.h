// Recall: the method of Ltri-LLM (arXiv 2412.04757) in the reading of docs/ltri.md, and InfLLM as settings of it.
//
// What leaves the window is cut into spans and indexed; for each step the heads vote on the spans, and those with the
// most votes are attended to beside sinks, window and what is not cut yet. Nothing is dropped.
#ifndef LTRI_ATTENTION_RECALL_H_
#define LTRI_ATTENTION_RECALL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "attention/asked_tokens.h"
#include "attention/layered_method.h"
#include "memory/span_memory.h"
#include "memory/vote_board.h"

namespace ltri {

class Recall : public LayeredMethod {
 public:
  // layers: one SpanMemory a layer (sliding-window layers never use theirs). voters: [layers * heads], or empty: all.
  Recall(const MethodContext& context, const SessionOptions& options, std::vector<SpanMemory> layers,
         std::vector<uint8_t> voters);

  bool SeesAll(int64_t tokens) const override {
    return joined_end() == 0 && tokens <= options().sinks + options().window;
  }
  // Whether the step of a prompt that ends at `end` sees everything before it, in a text that was not joined of others.
  static bool ReadsDensely(const ModelConfig& config, const SessionOptions& options, int64_t end);
  int64_t SecondReading() const override;
  bool Truncate(int64_t tokens) override;
  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) override;
  Status Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) override;
  Status Finish(ThreadPool& pool) override;
  Result<std::vector<TokenRange>> Join(ThreadPool& pool, std::span<Method* const> texts) override;
  std::vector<RecallShare> Recalled() const override { return asked_.Shares(); }
  Status Stretch(ThreadPool& pool, int64_t tokens) override;
  std::unique_ptr<Method> Fork() const override { return std::make_unique<Recall>(*this); }
  std::vector<Span> Spans(int64_t layer) const override { return spans_[static_cast<size_t>(layer)].spans(); }
  MemoryUse memory() const override;
  int64_t BesideBlocks() const override;
  double detection_seconds() const override;
  bool RecordBand(int64_t layer, TokenRange tokens) override;
  const BandRecord& band() const override { return record_; }

  Status BeginStep(ThreadPool& pool, const StepRange& step) override;
  Status EndStep(ThreadPool& pool) override;

 protected:
  Status ChooseView(ThreadPool& pool, int64_t layer, const float* q, View* view) override;
  bool WantsStatistics() const override;
  void Attended(ThreadPool& pool, int64_t layer, const AttendArgs& args, const float* lse) override;

 private:
  bool StepIsDense() const;
  int64_t Groups() const;
  bool KeepsChoice(int64_t layer) const;
  // Tokens at the start that stay visible.
  int64_t sinks() const { return joined_end() > 0 ? joined_sinks_ : options().sinks; }
  Result<std::vector<Ballot>> Vote(ThreadPool& pool, int64_t layer, const float* q);
  std::vector<std::vector<TokenRange>> Choose(ThreadPool& pool, int64_t layer, std::vector<Ballot> votes);
  Status JoinSpans(ThreadPool& pool, Recall& text, int64_t begin);
  Status StretchSpans(int64_t layer, int64_t before, int64_t tokens);

  std::vector<SpanMemory> spans_;  // [layers]
  VoteBoard board_;
  std::vector<uint8_t> voters_;  // [layers * heads], or empty
  std::vector<Ballot> weights_;  // [layers * groups] persistent weights of stored spans
  // [layers] what was chosen last, and at which token; kept for some decoded tokens. What is stored meanwhile stays
  // local, so that it does not go unseen.
  struct Choice {
    std::vector<std::vector<TokenRange>> far;
    int64_t local_begin = 0;
    int64_t token = -1;  // none
  };
  std::vector<Choice> choices_;
  bool decoding_ = false;                  // the step before decoded too
  std::vector<std::vector<float>> bands_;  // [layers] rows of the current step, cut in EndStep
  double band_seconds_ = 0;                // of all threads, for bands
  std::vector<double> cut_seconds_;        // [layers] for cutting them
  int64_t joined_sinks_ = 0;               // of the first joined text
  AskedTokens asked_;                      // since the last prompt's end
  BandRecord record_;
  int64_t record_layer_ = -1;
};

}  // namespace ltri

#endif  // LTRI_ATTENTION_RECALL_H_
