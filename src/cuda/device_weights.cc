#include "cuda/device_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ops/cuda/pack.h"
#include "ops/cuda/pointwise.h"
#include "weights/ggml_types.h"

namespace ltri::cuda {
namespace {

bool IsSmall(Packing packing) { return packing == Packing::kInt4 || packing == Packing::kInt8; }

int64_t ValueBytes(Packing packing, int64_t values) {
  if (packing == Packing::kInt4) return values / 2;
  return packing == Packing::kInt8 ? values : values * 2;
}

int64_t ScaleBytes(const DeviceMatrix& m) {
  if (!IsSmall(m.packing)) return 0;
  return m.rows * m.cols / m.group * (m.packing == Packing::kInt4 ? 4 : 2);
}

// The rows of `heads` heads, adjacent pairs moved into halves.
std::vector<int32_t> HalvesOrder(int64_t heads, int64_t head_dim) {
  std::vector<int32_t> order;
  for (int64_t row = 0; row < heads * head_dim; ++row) {
    const int64_t i = row % head_dim;
    const int64_t from = i < head_dim / 2 ? 2 * i : 2 * (i - head_dim / 2) + 1;
    order.push_back(static_cast<int32_t>(row - i + from));
  }
  return order;
}

Vector InOrder(const Vector& from, const std::vector<int32_t>& order) {
  if (order.empty()) return from;
  Vector to;
  for (size_t i = 0; i < from.size(); ++i) to.push_back(from[static_cast<size_t>(order[i])]);
  return to;
}

// Biases side by side; empty when no layer has one.
Vector JoinBiases(const LayerWeights& w, const std::vector<int32_t>& q_order, const std::vector<int32_t>& k_order) {
  if (w.q_bias.empty() && w.k_bias.empty() && w.v_bias.empty()) return {};
  Vector joined;
  const auto add = [&](Vector bias, int64_t rows) {
    bias.resize(static_cast<size_t>(rows), 0.0F);
    joined.insert(joined.end(), bias.begin(), bias.end());
  };
  add(InOrder(w.q_bias, q_order), w.q.rows);
  add(InOrder(w.k_bias, k_order), w.k.rows);
  add(w.v_bias, w.v.rows);
  return joined;
}

bool AllBfloat(const ModelWeights& weights) {
  const auto is = [](const Matrix& m) { return m.type == kTypeBf16; };
  return is(weights.output) && std::all_of(weights.layers.begin(), weights.layers.end(), [&](const LayerWeights& w) {
           return is(w.q) && is(w.k) && is(w.v) && is(w.o) && is(w.gate) && is(w.up) && is(w.down);
         });
}

}  // namespace

Status CheckModel(const LoadedModel& model) {
  const ModelConfig& config = model.config;
  const auto bad = [](const std::string& what) -> Status {
    return Error{ErrorCode::kUnsupported, fmt::format("{}; take --device cpu", what)};
  };
  if (config.sliding_window > 0) return bad("models with sliding-window layers do not run on a CUDA device");
  if (config.head_dim != 64 && config.head_dim != 128) {
    return bad(fmt::format("a CUDA device reads heads of 64 or 128 dimensions, not of {}", config.head_dim));
  }
  if (config.rope.dims != config.head_dim) {
    return bad(
        fmt::format("a CUDA device turns whole heads, not {} of {} dimensions", config.rope.dims, config.head_dim));
  }
  if (config.heads / config.kv_heads > 16) {
    return bad(fmt::format("{} heads share a KV head; a CUDA device takes at most 16", config.heads / config.kv_heads));
  }
  for (const LayerWeights& w : model.weights.layers) {
    if (PackingOf(w.gate.type, Float16::kHalf) != PackingOf(w.up.type, Float16::kHalf)) {
      return bad(fmt::format("gates are {} and ups {}, which a CUDA device cannot read together", TypeName(w.gate.type),
                             TypeName(w.up.type)));
    }
    if (w.q.cols % 32 != 0 || w.down.cols % 32 != 0 || w.o.cols % 32 != 0) {
      return bad("a CUDA device needs widths that are multiples of 32");
    }
  }
  return {};
}

int64_t MatrixBytes(const DeviceMatrix& matrix) {
  return ValueBytes(matrix.packing, matrix.rows * matrix.cols) + ScaleBytes(matrix);
}

void* DeviceWeights::Keep(Stream stream, const void* data, int64_t bytes) {
  buffers_.emplace_back(bytes);
  if (data != nullptr) Upload(stream, buffers_.back().as<void>(), data, bytes);
  return buffers_.back().as<void>();
}

const float* DeviceWeights::KeepVector(Stream stream, const Vector& vector) {
  if (vector.empty()) return nullptr;
  return static_cast<const float*>(Keep(stream, vector.data(), static_cast<int64_t>(vector.size() * sizeof(float))));
}

LinearGroup DeviceWeights::KeepGroup(Stream stream, std::vector<const Matrix*> matrices, const Vector& bias,
                                     const std::vector<std::vector<int32_t>>& orders) {
  LinearGroup group;
  group.bias = KeepVector(stream, bias);
  PackedMatrix joined;
  const auto flush = [&] {
    if (joined.rows == 0) return;
    DeviceMatrix m{joined.packing, joined.rows, joined.cols, joined.group, nullptr, nullptr};
    m.values = Keep(stream, joined.values.data(), static_cast<int64_t>(joined.values.size()));
    if (!joined.scales.empty()) {
      m.scales = Keep(stream, joined.scales.data(), static_cast<int64_t>(joined.scales.size()));
    }
    group.parts.push_back(m);
    group.outputs += m.rows;
    bytes_per_token_ += MatrixBytes(m);
    joined = {};
  };
  for (size_t i = 0; i < matrices.size(); ++i) {
    PackedMatrix packed =
        PackMatrix(*matrices[i], type_, orders.empty() ? std::span<const int32_t>() : std::span(orders[i]));
    if (joined.rows == 0 || packed.packing != joined.packing || packed.group != joined.group) {
      flush();
      joined = std::move(packed);
      continue;
    }
    joined.rows += packed.rows;
    joined.values.insert(joined.values.end(), packed.values.begin(), packed.values.end());
    joined.scales.insert(joined.scales.end(), packed.scales.begin(), packed.scales.end());
  }
  flush();
  return group;
}

DeviceWeights::DeviceWeights(Stream stream, const LoadedModel& model) {
  const ModelConfig& config = model.config;
  const ModelWeights& weights = model.weights;
  if (AllBfloat(weights)) type_ = Float16::kBfloat;
  std::vector<int32_t> q_order;
  std::vector<int32_t> k_order;
  if (config.rope.pairs == RopePairs::kAdjacent) {
    q_order = HalvesOrder(config.heads, config.head_dim);
    k_order = HalvesOrder(config.kv_heads, config.head_dim);
  }
  const auto head_norm = [&](const Vector& norm) {
    return KeepVector(stream, config.rope.pairs == RopePairs::kAdjacent ? InOrder(norm, q_order) : norm);
  };
  for (const LayerWeights& w : weights.layers) {
    DeviceLayer layer;
    layer.attention_norm = KeepVector(stream, w.attention_norm);
    layer.qkv = KeepGroup(stream, {&w.q, &w.k, &w.v}, JoinBiases(w, q_order, k_order), {q_order, k_order, {}});
    layer.q_norm = head_norm(w.q_norm);
    layer.k_norm = head_norm(w.k_norm);
    layer.o = KeepGroup(stream, {&w.o}, w.o_bias);
    layer.post_attention_norm = KeepVector(stream, w.post_attention_norm);
    layer.ffn_norm = KeepVector(stream, w.ffn_norm);
    layer.gate_up = KeepGroup(stream, {&w.gate, &w.up}, {});
    layer.down = KeepGroup(stream, {&w.down}, {});
    layer.post_ffn_norm = KeepVector(stream, w.post_ffn_norm);
    layers_.push_back(std::move(layer));
  }
  output_norm_ = KeepVector(stream, weights.output_norm);
  output_ = KeepGroup(stream, {&weights.output}, weights.output_bias);
  if (weights.output.data == weights.embedding.data && output_.parts.size() == 1) {
    embedding_ = output_.parts[0];
  } else {
    const int64_t before = bytes_per_token_;
    embedding_ = KeepGroup(stream, {&weights.embedding}, {}).parts[0];
    bytes_per_token_ = before;
  }
}

DeviceMatrix DeviceWeights::Draw(Stream stream, Packing packing, int64_t rows, int64_t cols) {
  DeviceMatrix m{packing, rows, cols, 32, nullptr, nullptr};
  m.values = Keep(stream, nullptr, ValueBytes(packing, rows * cols));
  const float deviation = 1.0F / std::sqrt(static_cast<float>(cols));
  if (!IsSmall(packing)) {
    FillRandom(stream, seed_++ << 40, deviation, rows * cols, type_, m.values);
    return m;
  }
  // Any bits are numbers; scales make them about as large as the others.
  FillRandom(stream, seed_++ << 40, 1.0F, ValueBytes(packing, rows * cols) / 2, Float16::kHalf, m.values);
  m.scales = Keep(stream, nullptr, ScaleBytes(m));
  FillRandom(stream, seed_++ << 40, deviation / (packing == Packing::kInt4 ? 8 : 64), ScaleBytes(m) / 2, Float16::kHalf,
             m.scales);
  return m;
}

LinearGroup DeviceWeights::DrawGroup(Stream stream, Packing packing, int64_t rows, int64_t cols) {
  LinearGroup group;
  group.parts.push_back(Draw(stream, packing, rows, cols));
  group.outputs = rows;
  bytes_per_token_ += MatrixBytes(group.parts[0]);
  return group;
}

DeviceWeights::DeviceWeights(Stream stream, const ModelConfig& config, Packing packing) {
  type_ = packing == Packing::kBfloat ? Float16::kBfloat : Float16::kHalf;
  const int64_t width = config.width;
  const int64_t q_width = config.heads * config.head_dim;
  const Vector ones(static_cast<size_t>(width), 1.0F);
  for (int64_t i = 0; i < config.layers; ++i) {
    DeviceLayer layer;
    layer.attention_norm = KeepVector(stream, ones);
    layer.qkv = DrawGroup(stream, packing, q_width + 2 * config.kv_heads * config.head_dim, width);
    layer.o = DrawGroup(stream, packing, width, q_width);
    layer.ffn_norm = KeepVector(stream, ones);
    layer.gate_up = DrawGroup(stream, packing, 2 * config.feed_forward, width);
    layer.down = DrawGroup(stream, packing, width, config.feed_forward);
    layers_.push_back(std::move(layer));
  }
  output_norm_ = KeepVector(stream, ones);
  output_ = DrawGroup(stream, packing, config.vocabulary, width);
  embedding_ = Draw(stream, type_ == Float16::kBfloat ? Packing::kBfloat : Packing::kHalf, config.vocabulary, width);
}

}  // namespace ltri::cuda
