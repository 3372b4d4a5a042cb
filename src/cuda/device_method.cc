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
      device_ref_(static_cast<int64_t>(sizeof(SequenceRef))) {
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
      rope_(other.rope_) {
  own_ref_ = store_.ref();
  Upload(context_->stream, device_ref_.as<void>(), &own_ref_, device_ref_.bytes());
}

Status DeviceMethod::BeginStep(ThreadPool& pool, const StepRange& step) {
  step_ = step;
  if (Status status = store_.MakeRoom(step.begin, step.end()); !status.ok()) return status;
  const Result<Extent> extent = PlaceViews(pool, step);
  if (!extent.ok()) return extent.error();
  most_keys_ = extent->keys;
  positions_ = std::max<int64_t>(kBlockTokens, extent->positions);
  FindRope();
  return store_.KeepFrom(extent->first);
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
  TurnQueries(c.stream, c.shape, p, sequence, layer, rope_, c.query_tiles.as<void>());
  GatherKeys(c.stream, c.shape, sequence, layer, rope_, most_keys_, c.key_tiles.as<void>(), c.value_tiles.as<void>());
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
  args.few_keys = most_keys_ <= kFewKeys;
  args.shape = context_->shape;
  args.sequences = sequence;
  args.layer = layer;
  args.rope = rope_;
  args.projections = p.data;
  args.scratch = context_->single_scratch.as<void>();
  args.out = out;
  ltri::cuda::AttendSingle(context_->stream, args);
}

Status DeviceMethod::Attend(ThreadPool& /*pool*/, int64_t layer, const float* q, const float* k, const float* v,
                            float* out) {
  const HeadShape& shape = context_->shape;
  const int64_t q_width = static_cast<int64_t>(shape.heads) * shape.head_dim;
  const int64_t k_width = static_cast<int64_t>(shape.kv_heads) * shape.head_dim;
  const int64_t width = q_width + 2 * k_width;
  std::vector<float> host(static_cast<size_t>(step_.count * width));
  for (int64_t i = 0; i < step_.count; ++i) {
    float* row = host.data() + i * width;
    std::copy_n(q + i * q_width, q_width, row);
    std::copy_n(k + i * k_width, k_width, row + q_width);
    std::copy_n(v + i * k_width, k_width, row + q_width + k_width);
  }
  const Buffer projections(static_cast<int64_t>(host.size() * sizeof(float)));
  const Buffer attended(step_.count * q_width * static_cast<int64_t>(sizeof(float)));
  Upload(context_->stream, projections.as<void>(), host.data(), projections.bytes());
  const Projections p{projections.as<float>(), step_.count};
  if (step_.count == 1) {
    SingleAttention(layer, device_ref_.as<SequenceRef>(), p, attended.as<float>());
    Download(context_->stream, out, attended.as<void>(), q_width * static_cast<int64_t>(sizeof(float)));
    return {};
  }
  BlockAttention(layer, p, Float16::kHalf, attended.as<void>());
  std::vector<Half> halves(static_cast<size_t>(step_.count * q_width));
  Download(context_->stream, halves.data(), attended.as<void>(), step_.count * q_width * 2);
  HalfToFloat(halves.data(), step_.count * q_width, out);
  return {};
}

bool DeviceMethod::Truncate(int64_t tokens) {
  if (tokens >= size_) return true;
  if (tokens < joined_end_) return false;
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
  state->PutAll(std::vector<int64_t>(static_cast<size_t>(context_->config.layers), 0));  // no layer has dropped any
  return store_.Save(file, size_, state);
}

Status DeviceMethod::Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) {
  const int64_t layers = context_->config.layers;
  size_ = state->GetWithin<int64_t>(0, kMostTokens, "the number of tokens");
  joined_end_ = state->GetWithin<int64_t>(0, size_, "the end of joined texts");
  step_.begin = state->GetWithin<int64_t>(0, kMostTokens, "the last step's begin");
  step_.count = state->GetWithin<int64_t>(0, kMostTokens, "the last step's length");
  step_.kind = static_cast<StepKind>(state->GetWithin<int32_t>(0, static_cast<int32_t>(StepKind::kDecode), "a step"));
  const std::vector<int64_t> kept_from = state->GetAll<int64_t>(layers, "what sliding layers keep");
  for (const int64_t from : kept_from) state->Check(from >= 0 && from <= size_, "a sliding layer keeps no token");
  if (!state->ok()) return state->status();
  std::vector<std::vector<TokenRange>> needed;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const int64_t window = size_ - context_->config.sliding_window - SecondReading();
    needed.push_back(context_->config.IsSliding(layer) ? std::vector<TokenRange>{{std::max(joined_end_, window), size_}}
                                                       : Needed());
  }
  return store_.Restore(file, size_, needed, state);
}

MemoryUse DeviceMethod::memory() const {
  MemoryUse use;
  use.keys_and_values = store_.bytes();
  use.on_disk = store_.bytes_on_disk();
  return use;
}

}  // namespace ltri::cuda
