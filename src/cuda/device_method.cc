#include "cuda/device_method.h"

#include <algorithm>

#include "ops/convert.h"

namespace ltri::cuda {
namespace {

// Of a decoded token: more take so long to read that attention need not begin early.
constexpr int64_t kFewKeys = 16384;

}  // namespace

DeviceMethod::DeviceMethod(DeviceContext* context, const SessionOptions& options, int64_t most_far, int64_t apart)
    : context_(context),
      options_(options),
      store_(context->stream, &context->pool, context->shape, most_far, apart),
      device_ref_(static_cast<int64_t>(sizeof(SequenceRef))),
      kept_from_(static_cast<size_t>(context->config.layers), 0) {
  own_ref_ = store_.ref();
  Upload(context_->stream, device_ref_.as<void>(), &own_ref_, device_ref_.bytes());
}

DeviceMethod::DeviceMethod(const DeviceMethod& other)
    : Method(other),
      context_(other.context_),
      options_(other.options_),
      size_(other.size_),
      joined_end_(other.joined_end_),
      step_(other.step_),
      store_(other.store_),
      device_ref_(static_cast<int64_t>(sizeof(SequenceRef))),
      most_keys_(other.most_keys_),
      positions_(other.positions_),
      kept_from_(other.kept_from_),
      rope_(other.rope_),
      local_rope_(other.local_rope_) {
  own_ref_ = store_.ref();
  Upload(context_->stream, device_ref_.as<void>(), &own_ref_, device_ref_.bytes());
}

Status DeviceMethod::BeginStep(ThreadPool& pool, const StepRange& step) {
  step_ = step;
  if (Status status = store_.MakeRoom(step.begin, step.end()); !status.ok()) return status;
  const Result<Extent> extent = PlaceViews(pool, step);
  if (!extent.ok()) return extent.error();
  most_keys_ = std::max(extent->keys, sliding_keys());
  positions_ = extent->positions;
  FindRope();
  return store_.KeepFrom(extent->first);
}

void DeviceMethod::FindRope() {
  rope_ = context_->rope.For(positions_);
  if (sliding_keys() > 0) local_rope_ = context_->local_rope.For(sliding_keys());
}

int64_t DeviceMethod::sliding_keys() const {
  const int64_t window = context_->config.sliding_window;
  return window == 0 ? 0 : window - 1 + step_.count;
}

LayerView DeviceMethod::SlidingView(const StepRange& step) const {
  LayerView view;
  view.window = static_cast<int32_t>(context_->config.sliding_window);
  view.local_begin = static_cast<int32_t>(std::max(joined_end_, step.begin - view.window + 1));
  view.end = static_cast<int32_t>(step.end());
  return view;
}

Status DeviceMethod::EndStep(ThreadPool& /*pool*/) {
  if (step_.kind != StepKind::kReread) size_ = std::max(size_, step_.end());
  return {};
}

void DeviceMethod::BlockAttention(int64_t layer, const Projections& p, Float16 type, void* out) {
  BringFar(layer);
  DeviceContext& c = *context_;
  const auto* sequence = device_ref_.as<SequenceRef>();
  c.query_tiles.Reserve(c.shape.heads * TileBytes(c.shape, p.rows));
  c.key_tiles.Reserve(c.shape.kv_heads * TileBytes(c.shape, most_keys_));
  c.value_tiles.Reserve(c.shape.kv_heads * TileBytes(c.shape, most_keys_));
  c.lse.Reserve(c.shape.heads * p.rows * static_cast<int64_t>(sizeof(float)));
  AppendKeys(c.stream, c.shape, p, sequence, layer);
  TurnQueries(c.stream, c.shape, p, sequence, layer, rope(layer), c.query_tiles.as<void>());
  GatherKeys(c.stream, c.shape, sequence, layer, rope(layer), most_keys_, c.key_tiles.as<void>(),
             c.value_tiles.as<void>());
  AttendGathered(layer, p.rows, type, out);
}

void DeviceMethod::AttendGathered(int64_t layer, int64_t rows, Float16 type, void* out) {
  AttendBlock(context_->stream, BlockArgs(layer, rows, type, out));
}

AttendBlockArgs DeviceMethod::BlockArgs(int64_t layer, int64_t rows, Float16 type, void* out) const {
  const DeviceContext& c = *context_;
  AttendBlockArgs args;
  args.shape = c.shape;
  args.sequence = device_ref_.as<SequenceRef>();
  args.layer = layer;
  args.queries = rows;
  args.most_keys = most_keys_;
  args.q = c.query_tiles.as<void>();
  args.keys = c.key_tiles.as<void>();
  args.values = c.value_tiles.as<void>();
  args.type = type;
  args.out = out;
  args.lse = c.lse.as<float>();
  return args;
}

void DeviceMethod::SingleAttention(int64_t layer, const SequenceRef* sequence, const Projections& p, float* out) {
  if (Changes(layer)) {
    const DeviceMethod* self[] = {this};
    UpdateViews(context_->stream, layer, {&p, 1}, self);
  }
  BringFar(layer);
  AttendSingleArgs args;
  args.settled = IsSettled(layer);
  args.few_keys = (context_->config.IsSliding(layer) ? sliding_keys() : most_keys_) <= kFewKeys;
  args.shape = context_->shape;
  args.sequences = sequence;
  args.layer = layer;
  args.rope = rope(layer);
  args.projections = p.data;
  args.scratch = context_->single_scratch.as<void>();
  args.out = out;
  ltri::cuda::AttendSingle(context_->stream, args);
}

Status DeviceMethod::Attend(ThreadPool& /*pool*/, int64_t layer, const float* q, const float* k, const float* v,
                            float* out) {
  const ModelConfig& config = context_->config;
  const HeadShape& shape = context_->shape;
  const int64_t dims = config.head_dim;
  const HeadOrder turned = TurnedOrder(dims, config.rope.dims, RopePairs::kHalves);
  const HeadOrder plain = PlainOrder(dims);
  std::vector<float> host;
  const auto put = [&](const float* heads, int64_t count, const HeadOrder& order) {
    for (int64_t head = 0; head < count; ++head) {
      for (const int32_t dim : order) host.push_back(dim < 0 ? 0.0F : heads[head * dims + dim]);
    }
  };
  for (int64_t i = 0; i < step_.count; ++i) {
    put(q + i * shape.heads * dims, shape.heads, turned);
    put(k + i * shape.kv_heads * dims, shape.kv_heads, turned);
    put(v + i * shape.kv_heads * dims, shape.kv_heads, plain);
  }
  const int64_t count = step_.count * shape.heads * shape.head_dim;
  const Buffer projections(static_cast<int64_t>(host.size() * sizeof(float)));
  const Buffer attended(count * static_cast<int64_t>(sizeof(float)));
  Upload(context_->stream, projections.as<void>(), host.data(), projections.bytes());
  const Projections p{projections.as<float>(), step_.count};
  std::vector<float> floats(static_cast<size_t>(count));
  if (step_.count == 1) {
    SingleAttention(layer, device_ref_.as<SequenceRef>(), p, attended.as<float>());
    Download(context_->stream, floats.data(), attended.as<void>(), attended.bytes());
  } else {
    BlockAttention(layer, p, Float16::kHalf, attended.as<void>());
    std::vector<Half> halves(static_cast<size_t>(count));
    Download(context_->stream, halves.data(), attended.as<void>(), count * static_cast<int64_t>(sizeof(Half)));
    HalfToFloat(halves.data(), count, floats.data());
  }
  for (int64_t head = 0; head < step_.count * shape.heads; ++head) {
    std::copy_n(floats.data() + head * shape.head_dim, dims, out + head * dims);
  }
  return {};
}

bool DeviceMethod::Truncate(int64_t tokens) {
  if (tokens >= size_) return true;
  if (tokens < joined_end_) return false;
  // What was restored from the host lacks what had left the windows there.
  for (const int64_t from : kept_from_) {
    if (from > 0 && tokens < from + context_->config.sliding_window) return false;
  }
  store_.Truncate(tokens);
  size_ = tokens;
  return true;
}

Status DeviceMethod::Stretch(ThreadPool& /*pool*/, int64_t tokens) {
  if (tokens <= size_) return {};
  if (Status status = store_.FillRandomly(size_, tokens); !status.ok()) return status;
  size_ = tokens;
  return {};
}

Result<int64_t> DeviceMethod::JoinStore(DeviceMethod& text) {
  const int64_t begin = size_;
  if (Status status = store_.AppendTokens(text.store_, begin, text.size_); !status.ok()) return status.error();
  text.store_.Truncate(0);
  size_ = joined_end_ = begin + text.size_;
  return begin;
}

// The fields of LayeredMethod.
Status DeviceMethod::Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) {
  state->Put(size_);
  state->Put(joined_end_);
  state->Put(step_.begin);
  state->Put(step_.count);
  state->Put(static_cast<int32_t>(step_.kind));
  state->PutAll(kept_from_);
  return store_.Save(file, size_, context_->host_heads, state);
}

Status DeviceMethod::Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) {
  const int64_t layers = context_->config.layers;
  size_ = state->GetWithin<int64_t>(0, kMostTokens, "the number of tokens");
  joined_end_ = state->GetWithin<int64_t>(0, size_, "the end of joined texts");
  step_.begin = state->GetWithin<int64_t>(0, kMostTokens, "the last step's begin");
  step_.count = state->GetWithin<int64_t>(0, kMostTokens, "the last step's length");
  step_.kind = static_cast<StepKind>(state->GetWithin<int32_t>(0, static_cast<int32_t>(StepKind::kDecode), "a step"));
  kept_from_ = state->GetAll<int64_t>(layers, "what sliding layers keep");
  for (const int64_t from : kept_from_) state->Check(from >= 0 && from <= size_, "a sliding layer keeps no token");
  if (!state->ok()) return state->status();
  std::vector<std::vector<TokenRange>> needed;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const int64_t window = size_ - context_->config.sliding_window - SecondReading();
    needed.push_back(context_->config.IsSliding(layer) ? std::vector<TokenRange>{{std::max(joined_end_, window), size_}}
                                                       : Needed());
  }
  return store_.Restore(file, size_, context_->host_heads, needed, state);
}

MemoryUse DeviceMethod::memory() const {
  MemoryUse use;
  use.keys_and_values = store_.bytes();
  use.on_disk = store_.bytes_on_disk();
  return use;
}

}  // namespace ltri::cuda
