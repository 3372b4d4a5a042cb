// LayeredMethod: what all methods have in common. It stores keys and values, serves sliding-window layers, and turns
// a view (which tokens, at which positions) into attention. A method derived from it decides the view.
#ifndef LTRI_ATTENTION_LAYERED_METHOD_H_
#define LTRI_ATTENTION_LAYERED_METHOD_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "attention/method.h"
#include "memory/kv_store.h"
#include "ops/attend.h"

namespace ltri {

// What the queries of a step see of one layer: far ranges, seen by all, and everything from local_begin on, causally.
struct View {
  std::vector<std::vector<TokenRange>> far;  // one list for all heads, or one a KV head, or one a query head
  int64_t local_begin = 0;
  Positions positions = Positions::kTrue;  // never kAuto
  bool lasting = false;                    // tokens to come will see the same far ranges

  void SeeEverything() { SeeSinks(0, 0, Positions::kTrue); }
  // The first `sinks` tokens and all from `begin` on.
  void SeeSinks(int64_t sinks, int64_t begin, Positions as) {
    far.resize(sinks > 0 ? 1 : 0);
    if (sinks > 0) far[0].assign(1, {0, sinks});
    local_begin = begin;
    positions = as;
    lasting = false;
  }
};

class LayeredMethod : public Method {
 public:
  // Tokens that sliding-window layers keep beyond their window, so that a conversation can be taken back that far.
  static constexpr int64_t kSlidingSlack = 4096;

  int64_t size() const override { return size_; }
  bool Truncate(int64_t tokens) override;
  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) override;
  Status Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) override;
  Status Stretch(ThreadPool& pool, int64_t tokens) override { return StretchStores(pool, tokens, 0); }
  std::vector<TokenRange> Visible(int64_t layer, int64_t head) const override;
  std::vector<Span> Spans(int64_t /*layer*/) const override { return {}; }
  MemoryUse memory() const override;

  Status BeginStep(ThreadPool& pool, const StepRange& step) override;
  Status Attend(ThreadPool& pool, int64_t layer, const float* q, const float* k, const float* v, float* out) override;
  Status EndStep(ThreadPool& pool) override;

 protected:
  LayeredMethod(const MethodContext& context, const SessionOptions& options);
  LayeredMethod(const LayeredMethod&) = default;

  // What the current step sees of a full-attention layer. q: [count, heads, head_dim] of the step, un-rotated.
  // view: of the step before; its memory is used again.
  virtual Status ChooseView(ThreadPool& pool, int64_t layer, const float* q, View* view) = 0;

  // The tokens that later steps may look at.
  virtual std::vector<TokenRange> Needed() const { return {{0, size_}}; }

  // Bytes that grow with the text and are in no block.
  virtual int64_t BesideBlocks() const { return 0; }

  // Whether Attended wants the log-sum-exp of this step.
  virtual bool WantsStatistics() const { return false; }
  // Called after a full-attention layer has attended. lse: [heads, count].
  virtual void Attended(ThreadPool& /*pool*/, int64_t /*layer*/, const AttendArgs& /*args*/, const float* /*lse*/) {}

  const ModelConfig& config() const { return *context_.config; }
  const SessionOptions& options() const { return options_; }
  const StepRange& step() const { return step_; }
  KvStore& store(int64_t layer) { return stores_[static_cast<size_t>(layer)]; }
  const KvStore& store(int64_t layer) const { return stores_[static_cast<size_t>(layer)]; }
  // Stretch for a method that needs tokens only from `first` on, and what it kept before.
  Status StretchStores(ThreadPool& pool, int64_t tokens, int64_t first);
  // Puts another text's keys and values behind these; returns where it begins, or the error of reading it.
  int64_t JoinStores(const LayeredMethod& text);
  // What of `blocks` may be on disk comes into RAM while the result lives.
  Result<BlockHold> Hold(ThreadPool& pool, std::vector<Block*> blocks) const {
    if (!context_.tier->needs_holds()) return BlockHold();
    return context_.tier->Hold(&pool, std::move(blocks));
  }
  const std::shared_ptr<Tier>& tier() const { return context_.tier; }
  RopeTables& ropes() const { return *context_.ropes; }
  // Where joined texts end; 0 when there are none. Nothing before it is local.
  int64_t joined_end() const { return joined_end_; }
  // What kAuto means.
  Positions ResolvePositions() const;

 private:
  // Far tokens of a layer side by side. Spans are short and lie everywhere, so reading them where they are waits for
  // memory pages more than for their bytes; what several decoded tokens see is worth a copy.
  struct FarCopy {
    std::vector<std::vector<TokenRange>> ranges;  // those copied; empty: none
    std::vector<Half> halves;  // for each head group: keys [tokens, head_dim], values [tokens, head_dim]
  };

  Status AttendSliding(ThreadPool& pool, int64_t layer, const float* q, float* out);
  Result<BlockHold> HoldView(ThreadPool& pool, int64_t layer, const View& view);
  AttendArgs Arrange(ThreadPool& pool, int64_t layer, const float* q, const View& view);
  void CopyFar(ThreadPool& pool, int64_t layer, const View& view);

  MethodContext context_;
  SessionOptions options_;
  int64_t size_ = 0;
  int64_t joined_end_ = 0;
  StepRange step_;
  BesideShare beside_;
  std::vector<KvStore> stores_;     // [layers]
  std::vector<View> views_;         // [layers], of the last step
  std::vector<FarCopy> copies_;     // [layers]
  std::vector<HeadGroup> groups_;   // of the layer that attends, as is lse_: kept for their memory
  std::vector<float> lse_;          // [heads, queries]
  std::vector<int64_t> kept_from_;  // [layers], the first token a sliding layer still has
};

}  // namespace ltri

#endif  // LTRI_ATTENTION_LAYERED_METHOD_H_
