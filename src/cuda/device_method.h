// DeviceMethod: the methods of attention/ with keys and values on the card.
//
// The twin of attention/layered_method.h: a method derived from it decides the views, everything else is shared. A
// decoder on the card calls BlockAttention and SingleAttention; Attend serves callers whose numbers are on the host.
#ifndef LTRI_CUDA_DEVICE_METHOD_H_
#define LTRI_CUDA_DEVICE_METHOD_H_

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "attention/method.h"
#include "cuda/device_context.h"
#include "cuda/device_store.h"
#include "ops/cuda/heads.h"

namespace ltri::cuda {

class DeviceMethod : public Method {
 public:
  int64_t size() const override { return size_; }
  bool Truncate(int64_t tokens) override;
  Status Stretch(ThreadPool& pool, int64_t tokens) override;
  // As on the host, for the same files: a session goes on here or there. What is restored is brought to the card at
  // once, or to the host's memory where it does not fit. Both wait for the card, and may throw std::bad_alloc.
  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) override;
  Status Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) override;
  std::vector<Span> Spans(int64_t /*layer*/) const override { return {}; }
  MemoryUse memory() const override;

  Status BeginStep(ThreadPool& pool, const StepRange& step) override;
  Status Attend(ThreadPool& pool, int64_t layer, const float* q, const float* k, const float* v, float* out) override;
  Status EndStep(ThreadPool& pool) override;

  // The step's attention in `layer`, queued. p: the step's projections; out: [rows, heads, head_dim] of `type`.
  virtual void BlockAttention(int64_t layer, const Projections& p, Float16 type, void* out);

  // The last part of BlockAttention again, for benches: what was turned and gathered stays.
  void AttendGathered(int64_t layer, int64_t rows, Float16 type, void* out);

  // Before the attention of a decoded token in `layer`: brings views up to date, where Changes says that there is
  // something to do. Of several sequences, which are of this method's kind, at once. Queued on `stream`. p: of each,
  // one row.
  virtual bool Changes(int64_t /*layer*/) const { return false; }
  virtual void UpdateViews(Stream /*stream*/, int64_t /*layer*/, std::span<const Projections> /*p*/,
                           std::span<const DeviceMethod* const> /*methods*/) const {}
  // Whether nothing in the step changes the layer's view.
  virtual bool IsSettled(int64_t /*layer*/) const { return true; }

  // Before attention in `layer` is queued, of a block or a decoded token: what the layer sees is brought to where
  // kernels read it.
  virtual void BringFar(int64_t /*layer*/) const {}
  // Whether the host has nothing to do between the kernels of a decoded token.
  virtual bool CanBeRecorded() const { return true; }

  // From here on the host has at most `bytes` of keys and values, and `disk` the rest. Before the first step.
  void LimitHost(int64_t bytes, std::shared_ptr<DiskBlocks> disk) { store_.LimitHost(bytes, std::move(disk)); }

  // What is recorded for a decoded token: the view, and attention of `layer` for the sequence that `sequence`
  // describes, which may be any of the same kind. p: one row; out: [heads, head_dim].
  void SingleAttention(int64_t layer, const SequenceRef* sequence, const Projections& p, float* out);
  // Recordings differ where this number does; it is asked after BeginStep.
  virtual int64_t recording() const { return 0; }

  SequenceRef ref() const { return store_.ref(); }
  // Where the rotary tables are that the step needs, of layers with full attention and of sliding ones; recordings hold
  // them. They move when another sequence needs more.
  using Ropes = std::pair<const float*, const float*>;
  Ropes ropes() const { return {rope_.table, local_rope_.table}; }
  const RopeView& rope(int64_t layer) const { return context_->config.IsSliding(layer) ? local_rope_ : rope_; }
  void FindRope();

 protected:
  // apart: of DeviceStore.
  DeviceMethod(DeviceContext* context, const SessionOptions& options, int64_t most_far, int64_t apart);
  DeviceMethod(const DeviceMethod& other);
  DeviceMethod& operator=(const DeviceMethod&) = delete;

  // At most what a step sees of a layer with full attention.
  struct Extent {
    int64_t keys = 0;
    int64_t positions = 0;  // one behind the last that a key or a query stands at
    int64_t first = 0;      // the first token that is seen where it lies; those before it only if they are chosen
  };
  // The tokens that later steps may look at.
  virtual std::vector<TokenRange> Needed() const { return {{0, size_}}; }
  // Where joined texts end; 0 when there are none. Nothing before it is local.
  int64_t joined_end() const { return joined_end_; }
  // Puts the keys and values of another text, which gives them up, behind these; returns where it begins.
  Result<int64_t> JoinStore(DeviceMethod& text);

  // What a step sees of a sliding-window layer: what its first query does, up to the last one's own key.
  LayerView SlidingView(const StepRange& step) const;
  // Brings the views of the coming step to the card.
  virtual Result<Extent> PlaceViews(ThreadPool& pool, const StepRange& step) = 0;
  // What a block's attention left behind, for the layer that attended last.
  AttendBlockArgs BlockArgs(int64_t layer, int64_t rows, Float16 type, void* out) const;
  const SequenceRef* device_ref() const { return device_ref_.as<SequenceRef>(); }

  DeviceContext& context() const { return *context_; }
  const SessionOptions& options() const { return options_; }
  const StepRange& step() const { return step_; }
  DeviceStore& store() { return store_; }
  const DeviceStore& store() const { return store_; }

 private:
  // At most what the step sees of a sliding-window layer; 0: there is none.
  int64_t sliding_keys() const;

  DeviceContext* context_;
  SessionOptions options_;
  int64_t size_ = 0;
  int64_t joined_end_ = 0;
  StepRange step_;
  DeviceStore store_;
  SequenceRef own_ref_;
  Buffer device_ref_;  // own_ref_ on the card
  int64_t most_keys_ = 0;
  int64_t positions_ = 1;
  std::vector<int64_t> kept_from_;  // [layers] the first token that a sliding layer has
  RopeView rope_, local_rope_;
};

// The makers of the methods.
Result<std::unique_ptr<Method>> MakeDeviceDense(DeviceContext* context, const SessionOptions& options);
Result<std::unique_ptr<Method>> MakeDeviceStreaming(DeviceContext* context, const SessionOptions& options);
Result<std::unique_ptr<Method>> MakeDeviceRecall(DeviceContext* context, const SessionOptions& options);

// Errors as MakeMethod's, and kUnsupported for what the card does not do.
Result<std::unique_ptr<Method>> MakeDeviceMethod(DeviceContext* context, const SessionOptions& options);

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DEVICE_METHOD_H_
