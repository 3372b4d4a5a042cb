#include "cuda/device_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cuda/head_layout.h"
#include "ops/cuda/pack.h"
#include "ops/cuda/pointwise.h"
#include "weights/ggml_types.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kGroup = 32;  // values that share a scale, at most

bool IsSmall(Packing packing) { return packing == Packing::kInt4 || packing == Packing::kInt8; }

int64_t ScaleBytes(const DeviceMatrix& m) { return ScaleBytes(m.packing, m.group, m.rows * m.cols); }

// In that order, with zeros where nothing comes.
Vector InOrder(const Vector& from, const std::vector<int32_t>& order) {
  Vector to;
  for (const int32_t i : order) to.push_back(i < 0 ? 0.0F : from[static_cast<size_t>(i)]);
  return to;
}

// Where the rows of a layer's projections come from.
struct ProjectionOrders {
  HeadOrder turned;  // of a query's or a key's head
  std::vector<int32_t> q, k, v;

  explicit ProjectionOrders(const ModelConfig& config)
      : turned(TurnedOrder(config.head_dim, config.rope.dims, config.rope.pairs)),
        q(RowOrder(turned, config.heads, config.head_dim)),
        k(RowOrder(turned, config.kv_heads, config.head_dim)),
        v(RowOrder(PlainOrder(config.head_dim), config.kv_heads, config.head_dim)) {}
};

// Biases side by side; empty when the layer has none.
Vector JoinBiases(const LayerWeights& w, const ProjectionOrders& orders) {
  if (w.q_bias.empty() && w.k_bias.empty() && w.v_bias.empty()) return {};
  Vector joined;
  const auto add = [&](Vector bias, int64_t rows, const std::vector<int32_t>& order) {
    bias.resize(static_cast<size_t>(rows), 0.0F);
    const Vector placed = InOrder(bias, order);
    joined.insert(joined.end(), placed.begin(), placed.end());
  };
  add(w.q_bias, w.q.rows, orders.q);
  add(w.k_bias, w.k.rows, orders.k);
  add(w.v_bias, w.v.rows, orders.v);
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
  if (CardHeadDim(config.head_dim) == 0) {
    return bad(
        fmt::format("a CUDA device reads heads of at most {} dimensions, not of {}", kMostHeadDim, config.head_dim));
  }
  if (config.heads / config.kv_heads > 16) {
    return bad(fmt::format("{} heads share a KV head; a CUDA device takes at most 16", config.heads / config.kv_heads));
  }
  for (const LayerWeights& w : model.weights.layers) {
    if (w.q.cols % 32 != 0 || w.down.cols % 32 != 0) {
      return bad(
          fmt::format("a CUDA device needs widths that are multiples of 32, not {} and {}", w.q.cols, w.down.cols));
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

LinearGroup DeviceWeights::KeepGroup(Stream stream, const std::vector<const Matrix*>& matrices, const Vector& bias,
                                     const std::vector<std::vector<int32_t>>& orders) {
  std::vector<PackedMatrix> packed;
  for (size_t i = 0; i < matrices.size(); ++i) {
    packed.push_back(
        PackMatrix(*matrices[i], type_, orders.empty() ? std::span<const int32_t>() : std::span(orders[i])));
  }
  return KeepGroup(stream, std::move(packed), bias);
}

LinearGroup DeviceWeights::KeepGroup(Stream stream, std::vector<PackedMatrix> matrices, const Vector& bias) {
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
  for (PackedMatrix& packed : matrices) {
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
  const ProjectionOrders orders(config);
  const int64_t head_dim = CardHeadDim(config.head_dim);
  const auto head_norm = [&](const Vector& norm) {
    return KeepVector(stream, norm.empty() ? norm : InOrder(norm, orders.turned));
  };
  for (const LayerWeights& w : weights.layers) {
    DeviceLayer layer;
    layer.attention_norm = KeepVector(stream, w.attention_norm);
    layer.qkv = KeepGroup(stream, {&w.q, &w.k, &w.v}, JoinBiases(w, orders), {orders.q, orders.k, orders.v});
    layer.q_norm = head_norm(w.q_norm);
    layer.k_norm = head_norm(w.k_norm);
    PackedMatrix o = PackMatrix(w.o, type_, {}, config.head_dim % kGroup != 0);
    if (head_dim != config.head_dim) o = PadColumns(o, config.head_dim, head_dim);
    layer.o = KeepGroup(stream, std::vector<PackedMatrix>{std::move(o)}, w.o_bias);
    layer.post_attention_norm = KeepVector(stream, w.post_attention_norm);
    layer.ffn_norm = KeepVector(stream, w.ffn_norm);
    // A decoded token reads both at once.
    const bool alike = PackingOf(w.gate.type, type_) == PackingOf(w.up.type, type_) &&
                       (w.gate.type == kTypeQ6K) == (w.up.type == kTypeQ6K);
    layer.gate_up = KeepGroup(stream, {PackMatrix(w.gate, type_, {}, !alike), PackMatrix(w.up, type_, {}, !alike)}, {});
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
