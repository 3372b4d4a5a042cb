// Decoded tokens of several sequences in one step: products of all rows, one attention over all sequences.
#include <algorithm>
#include <vector>

#include "cuda/device_decoder.h"
#include "ops/cuda/attend.h"
#include "ops/cuda/pointwise.h"

namespace ltri::cuda {

// tokens_: one of each. The logits are in batch_.logits.
void DeviceDecoder::DecodeTogether(std::span<DeviceMethod* const> methods) {
  const Stream stream = context_.stream;
  const auto count = static_cast<int64_t>(methods.size());
  const int64_t heads = config_.heads * context_.shape.head_dim;
  batch_.attended.Reserve(count * heads * static_cast<int64_t>(sizeof(float)));
  batch_.logits.Reserve(count * config_.vocabulary * static_cast<int64_t>(sizeof(float)));
  batch_.sequences.Reserve(count * static_cast<int64_t>(sizeof(SequenceRef)));
  if (batch_.count != count) {
    batch_.scratch.Reserve(SingleScratchBytes(context_.shape, count));
    Clear(stream, batch_.scratch.as<void>(), batch_.scratch.bytes());
    batch_.count = count;
  }
  std::vector<SequenceRef> sequences;
  for (const DeviceMethod* method : methods) sequences.push_back(method->ref());
  Upload(stream, batch_.sequences.as<void>(), sequences.data(), count * static_cast<int64_t>(sizeof(SequenceRef)));
  Embed(stream, weights_.embedding(), tokens_.as<int32_t>(), count, config_.embedding_scale, x_.as<float>());
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    const DeviceLayer& w = weights_.layers()[static_cast<size_t>(layer)];
    Project(w, count);
    AttendTogether(layer, methods);
    AddToStream(w.o, attended_.as<void>(), w.post_attention_norm, count);
    BlockFeedForward(w, count);
  }
  RmsNorm(stream, x_.as<float>(), weights_.output_norm(), count, config_.width, config_.norm_epsilon, weights_.type(),
          h_.as<void>());
  const LinearGroup& output = weights_.output();
  gemm_.Multiply(stream, output.parts[0], weights_.type(), h_.as<void>(), count, GemmResult::kFloat,
                 batch_.logits.as<void>(), output.outputs, 0);
  if (output.bias != nullptr) AddBias(stream, output.bias, count, output.outputs, batch_.logits.as<float>());
  if (config_.logit_softcap != 0) {
    SoftCap(stream, config_.logit_softcap, count * config_.vocabulary, batch_.logits.as<float>());
  }
}

void DeviceDecoder::AttendTogether(int64_t layer, std::span<DeviceMethod* const> methods) {
  UpdateViews(layer, methods);
  AttendSingleArgs args;
  args.shape = context_.shape;
  args.sequences = batch_.sequences.as<SequenceRef>();
  args.count = static_cast<int64_t>(methods.size());
  args.layer = layer;
  args.rope = methods[0]->rope(layer);
  args.projections = projections_.as<float>();
  args.scratch = batch_.scratch.as<void>();
  args.out = batch_.attended.as<float>();
  AttendSingle(context_.stream, args);
  Round(context_.stream, args.out, args.count * config_.heads * context_.shape.head_dim, weights_.type(),
        attended_.as<void>());
}

// What one sequence has to do is small: all do it in the same launches.
void DeviceDecoder::UpdateViews(int64_t layer, std::span<DeviceMethod* const> methods) {
  const int64_t width = (config_.heads + 2 * config_.kv_heads) * context_.shape.head_dim;
  std::vector<const DeviceMethod*> changing;
  std::vector<Projections> p;
  for (size_t i = 0; i < methods.size(); ++i) {
    if (!methods[i]->Changes(layer)) continue;
    changing.push_back(methods[i]);
    p.push_back({projections_.as<float>() + static_cast<int64_t>(i) * width, 1});
  }
  if (!changing.empty()) changing[0]->UpdateViews(context_.stream, layer, p, changing);
  for (const DeviceMethod* method : methods) method->BringFar(layer);
}

Status DeviceDecoder::DecodeGreedily(ThreadPool& pool, std::span<DeviceMethod* const> methods, TokenId first,
                                     int64_t tokens) {
  const bool together = methods.size() > 1;
  ReserveRows(static_cast<int64_t>(methods.size()));
  auto* const next = together ? tokens_.as<int32_t>() : one_.token.as<int32_t>();
  const std::vector<int32_t> begin(methods.size(), first);
  Upload(context_.stream, next, begin.data(), static_cast<int64_t>(begin.size() * sizeof(int32_t)));
  for (int64_t i = 0; i < tokens; ++i) {
    for (DeviceMethod* method : methods) {
      if (Status status = method->BeginStep(pool, {method->size(), 1, StepKind::kDecode}); !status.ok()) return status;
    }
    for (DeviceMethod* method : methods) method->FindRope();
    if (together) {
      DecodeTogether(methods);
      for (size_t row = 0; row < methods.size(); ++row) {
        ArgMax(context_.stream, batch_.logits.as<float>() + static_cast<int64_t>(row) * config_.vocabulary,
               config_.vocabulary, one_.best.as<uint64_t>(), next + row);
      }
    } else {
      DecodeToken(*methods[0]);
    }
    for (DeviceMethod* method : methods) {
      if (Status status = method->EndStep(pool); !status.ok()) return status;
    }
  }
  return {};
}

}  // namespace ltri::cuda
