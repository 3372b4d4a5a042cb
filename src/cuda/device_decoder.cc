#include "cuda/device_decoder.h"

#include <algorithm>
#include <typeinfo>
#include <vector>

#include "ops/cuda/heads.h"
#include "ops/cuda/pointwise.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kFloat = sizeof(float);
constexpr int64_t kHalf = sizeof(Half);
constexpr size_t kMostRecordings = 64;

}  // namespace

DeviceDecoder::DeviceDecoder(DeviceContext* context, const DeviceWeights* weights)
    : config_(context->config), context_(*context), weights_(*weights) {
  const int64_t heads = config_.heads * context_.shape.head_dim;
  const int64_t kv = 2 * config_.kv_heads * context_.shape.head_dim;
  one_.token = Buffer(sizeof(int32_t));
  one_.x = Buffer(config_.width * kFloat);
  one_.projections = Buffer((heads + kv) * kFloat);
  one_.attended = Buffer(heads * kFloat);
  one_.activated = Buffer(config_.feed_forward * kFloat);
  one_.projected = Buffer(config_.width * kFloat);
  one_.logits = Buffer(config_.vocabulary * kFloat);
  one_.best = Buffer(2 * sizeof(uint64_t));
  Clear(context_.stream, one_.best.as<void>(), one_.best.bytes());
  one_.sequence = Buffer(sizeof(SequenceRef));
}

Status DeviceDecoder::Step(ThreadPool& pool, std::span<Slice> slices) {
  std::vector<Slice*> decoded;
  for (Slice& slice : slices) {
    auto* const method = dynamic_cast<DeviceMethod*>(slice.memory);
    if (method == nullptr) {
      return Error{ErrorCode::kUnsupported, "this looks into a model's attention on the host; take --device cpu"};
    }
    if (slice.logit_rows > 0) slice.logits->resize(static_cast<size_t>(slice.logit_rows * config_.vocabulary));
    if (slice.range.kind == StepKind::kDecode) {
      decoded.push_back(&slice);
      continue;
    }
    if (Status status = method->BeginStep(pool, slice.range); !status.ok()) return status;
    ReadBlock(slice, *method);
    if (Status status = method->EndStep(pool); !status.ok()) return status;
  }
  if (!decoded.empty()) {
    if (Status status = Decode(pool, decoded); !status.ok()) return status;
  }
  const bool waits = std::any_of(slices.begin(), slices.end(), [](const Slice& slice) { return slice.logit_rows > 0; });
  return waits ? Finish(context_.stream) : Status();
}

Status DeviceDecoder::Decode(ThreadPool& pool, std::span<Slice* const> slices) {
  std::vector<DeviceMethod*> methods;
  for (const Slice* slice : slices) {
    methods.push_back(static_cast<DeviceMethod*>(slice->memory));
    if (Status status = methods.back()->BeginStep(pool, slice->range); !status.ok()) return status;
  }
  for (DeviceMethod* method : methods) method->FindRope();
  // Models with long factors have two tables; a batch reads one.
  const bool together = methods.size() > 1 && std::all_of(methods.begin(), methods.end(), [&](const auto* method) {
                          return method->ropes() == methods[0]->ropes();
                        });
  if (together) {
    ReserveRows(static_cast<int64_t>(slices.size()));
    for (size_t i = 0; i < slices.size(); ++i) {
      Upload(context_.stream, tokens_.as<int32_t>() + i, slices[i]->tokens.data(), sizeof(int32_t));
    }
    DecodeTogether(methods);
  }
  for (size_t i = 0; i < slices.size(); ++i) {
    if (!together) {
      Upload(context_.stream, one_.token.as<void>(), slices[i]->tokens.data(), sizeof(int32_t));
      DecodeToken(*methods[i]);
    }
    if (slices[i]->logit_rows > 0) {
      const float* logits =
          together ? batch_.logits.as<float>() + static_cast<int64_t>(i) * config_.vocabulary : one_.logits.as<float>();
      Download(context_.stream, slices[i]->logits->data(), logits, one_.logits.bytes());
    }
    if (Status status = methods[i]->EndStep(pool); !status.ok()) return status;
  }
  return {};
}

void DeviceDecoder::ReserveRows(int64_t rows) {
  const int64_t heads = config_.heads * context_.shape.head_dim;
  const int64_t kv = 2 * config_.kv_heads * context_.shape.head_dim;
  tokens_.Reserve(rows * static_cast<int64_t>(sizeof(int32_t)));
  x_.Reserve(rows * config_.width * kFloat);
  h_.Reserve(rows * config_.width * kHalf);
  projections_.Reserve(rows * (heads + kv) * kFloat);
  attended_.Reserve(rows * heads * kHalf);
  gate_up_.Reserve(rows * 2 * config_.feed_forward * kHalf);
  activated_.Reserve(rows * config_.feed_forward * kHalf);
  projected_.Reserve(rows * config_.width * kFloat);
}

void DeviceDecoder::ReadBlock(const Slice& slice, DeviceMethod& method) {
  const auto rows = static_cast<int64_t>(slice.tokens.size());
  ReserveRows(rows);
  Upload(context_.stream, tokens_.as<void>(), slice.tokens.data(), rows * static_cast<int64_t>(sizeof(int32_t)));
  Embed(context_.stream, weights_.embedding(), tokens_.as<int32_t>(), rows, config_.embedding_scale, x_.as<float>());
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    const DeviceLayer& w = weights_.layers()[static_cast<size_t>(layer)];
    method.BlockAttention(layer, Project(w, rows), weights_.type(), attended_.as<void>());
    // Behind the last layer's attention only rows with logits matter.
    if (layer + 1 == config_.layers && slice.logit_rows == 0) break;
    AddToStream(w.o, attended_.as<void>(), w.post_attention_norm, rows);
    BlockFeedForward(w, rows);
  }
  if (slice.logit_rows > 0) BlockLogits(rows, slice.logit_rows, slice.logits->data());
}

// Queries, keys and values of a block.
Projections DeviceDecoder::Project(const DeviceLayer& w, int64_t rows) {
  const Float16 type = weights_.type();
  RmsNorm(context_.stream, x_.as<float>(), w.attention_norm, rows, config_.width, config_.norm_epsilon, type,
          h_.as<void>());
  int64_t column = 0;
  for (const DeviceMatrix& part : w.qkv.parts) {
    gemm_.Multiply(context_.stream, part, type, h_.as<void>(), rows, GemmResult::kFloat, projections_.as<void>(),
                   w.qkv.outputs, column);
    column += part.rows;
  }
  if (w.qkv.bias != nullptr) AddBias(context_.stream, w.qkv.bias, rows, w.qkv.outputs, projections_.as<float>());
  const Projections p{projections_.as<float>(), rows};
  NormProjections(w, p);
  return p;
}

void DeviceDecoder::NormProjections(const DeviceLayer& w, const Projections& p) {
  const HeadShape& shape = context_.shape;
  if (w.q_norm != nullptr) {
    NormHeads(context_.stream, shape, p, 0, shape.heads, config_.head_dim, w.q_norm, config_.norm_epsilon);
  }
  if (w.k_norm != nullptr) {
    NormHeads(context_.stream, shape, p, shape.heads, shape.kv_heads, config_.head_dim, w.k_norm, config_.norm_epsilon);
  }
}

// x += the layer's result, normalised first where a model does so.
void DeviceDecoder::AddToStream(const LinearGroup& linear, const void* x, const float* norm, int64_t rows) {
  const bool direct = norm == nullptr;
  float* y = direct ? x_.as<float>() : projected_.as<float>();
  gemm_.Multiply(context_.stream, linear.parts[0], weights_.type(), x, rows,
                 direct ? GemmResult::kAddFloat : GemmResult::kFloat, y, linear.outputs, 0);
  if (linear.bias != nullptr) AddBias(context_.stream, linear.bias, rows, linear.outputs, y);
  if (!direct) AddNormed(context_.stream, y, norm, rows, config_.width, config_.norm_epsilon, x_.as<float>());
}

void DeviceDecoder::BlockFeedForward(const DeviceLayer& w, int64_t rows) {
  const Float16 type = weights_.type();
  RmsNorm(context_.stream, x_.as<float>(), w.ffn_norm, rows, config_.width, config_.norm_epsilon, type, h_.as<void>());
  int64_t column = 0;
  for (const DeviceMatrix& part : w.gate_up.parts) {
    gemm_.Multiply(context_.stream, part, type, h_.as<void>(), rows, GemmResult::kFloat16, gate_up_.as<void>(),
                   w.gate_up.outputs, column);
    column += part.rows;
  }
  GatedActivation(context_.stream, config_.activation, gate_up_.as<void>(), rows, config_.feed_forward, type,
                  activated_.as<void>());
  AddToStream(w.down, activated_.as<void>(), w.post_ffn_norm, rows);
}

// Row by row: prompts want few logits.
void DeviceDecoder::BlockLogits(int64_t rows, int64_t wanted, float* logits) {
  for (int64_t i = 0; i < wanted; ++i) {
    const float* x = x_.as<float>() + (rows - wanted + i) * config_.width;
    MultiplyGroup(weights_.output(), x, weights_.output_norm(), MatVecResult::kSet, one_.logits.as<float>());
    if (config_.logit_softcap != 0) {
      SoftCap(context_.stream, config_.logit_softcap, config_.vocabulary, one_.logits.as<float>());
    }
    Download(context_.stream, logits + i * config_.vocabulary, one_.logits.as<void>(), one_.logits.bytes());
  }
}

void DeviceDecoder::MultiplyGroup(const LinearGroup& linear, const float* x, const float* norm, MatVecResult result,
                                  float* y) {
  MatVec args;
  args.x = x;
  args.norm = norm;
  args.epsilon = config_.norm_epsilon;
  args.result = result;
  args.activation = config_.activation;
  int64_t row = 0;
  for (const DeviceMatrix& part : linear.parts) {
    args.w = part;
    args.bias = linear.bias == nullptr ? nullptr : linear.bias + row;
    args.y = y + row;
    MultiplyVector(context_.stream, args);
    row += part.rows;
  }
}

void DeviceDecoder::AddSingle(const LinearGroup& linear, const float* x, const float* norm) {
  if (norm == nullptr) return MultiplyGroup(linear, x, nullptr, MatVecResult::kAdd, one_.x.as<float>());
  MultiplyGroup(linear, x, nullptr, MatVecResult::kSet, one_.projected.as<float>());
  AddNormed(context_.stream, one_.projected.as<float>(), norm, 1, config_.width, config_.norm_epsilon,
            one_.x.as<float>());
}

void DeviceDecoder::SingleLayer(const DeviceLayer& w, int64_t layer, DeviceMethod& method) {
  MultiplyGroup(w.qkv, one_.x.as<float>(), w.attention_norm, MatVecResult::kSet, one_.projections.as<float>());
  const Projections p{one_.projections.as<float>(), 1};
  NormProjections(w, p);
  method.SingleAttention(layer, one_.sequence.as<SequenceRef>(), p, one_.attended.as<float>());
  AddSingle(w.o, one_.attended.as<float>(), w.post_attention_norm);
  MultiplyGroup(w.gate_up, one_.x.as<float>(), w.ffn_norm, MatVecResult::kGate, one_.activated.as<float>());
  AddSingle(w.down, one_.activated.as<float>(), w.post_ffn_norm);
}

// What is recorded for a token, or queued kernel by kernel.
void DeviceDecoder::RecordToken(DeviceMethod& method) {
  Embed(context_.stream, weights_.embedding(), one_.token.as<int32_t>(), 1, config_.embedding_scale,
        one_.x.as<float>());
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    SingleLayer(weights_.layers()[static_cast<size_t>(layer)], layer, method);
  }
  MultiplyGroup(weights_.output(), one_.x.as<float>(), weights_.output_norm(), MatVecResult::kSet,
                one_.logits.as<float>());
  if (config_.logit_softcap != 0) {
    SoftCap(context_.stream, config_.logit_softcap, config_.vocabulary, one_.logits.as<float>());
  }
  ArgMax(context_.stream, one_.logits.as<float>(), config_.vocabulary, one_.best.as<uint64_t>(),
         one_.token.as<int32_t>());
}

void DeviceDecoder::DecodeToken(DeviceMethod& method) {
  // A copy from the host holds the stream up: only when another sequence comes.
  if (const SequenceRef ref = method.ref(); !(ref == sequence_)) {
    Upload(context_.stream, one_.sequence.as<void>(), &ref, sizeof(ref));
    sequence_ = ref;
  }
  if (!method.CanBeRecorded()) return RecordToken(method);
  if (recordings_.size() > kMostRecordings) recordings_.clear();
  Graph& graph = recordings_[{method.ropes(), &typeid(method), method.recording()}];
  if (graph.empty()) graph.Record(context_.stream, [&] { RecordToken(method); });
  graph.Launch(context_.stream);
}

}  // namespace ltri::cuda
