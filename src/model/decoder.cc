#include "model/decoder.h"

#include <algorithm>
#include <cmath>

#include "ops/activation.h"
#include "ops/rms_norm.h"
#include "ops/rope.h"

namespace ltri {
namespace {

// Splits rows into a few tasks a thread.
template <typename Work>
void ForRows(ThreadPool& pool, int64_t rows, Work&& work) {
  const int64_t tile = std::max<int64_t>(16, (rows + pool.threads() * 4 - 1) / (pool.threads() * 4));
  pool.Run((rows + tile - 1) / tile, [&](int64_t task, int) {
    const int64_t first = task * tile;
    work(first, std::min(tile, rows - first));
  });
}

const float* BiasOrNull(const Vector& bias) { return bias.empty() ? nullptr : bias.data(); }

}  // namespace

Status Decoder::Step(ThreadPool& pool, std::span<Slice> slices) {
  order_.clear();
  rows_ = {};
  for (const bool single : {false, true}) {
    for (Slice& slice : slices) {
      if ((slice.range.kind == StepKind::kDecode) != single) continue;
      order_.push_back(&slice);
      (single ? rows_.single : rows_.block) += slice.range.count;
      if (Status status = slice.memory->BeginStep(pool, slice.range); !status.ok()) return status;
    }
  }
  Embed(pool);
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    if (Status status = Attention(pool, layer); !status.ok()) return status;
    // Behind the last layer's attention only rows with logits matter, and prompt blocks mostly want none.
    const bool skip = layer + 1 == config_.layers && std::none_of(order_.begin(), order_.end(), [](const Slice* slice) {
                        return slice->range.kind != StepKind::kDecode && slice->logit_rows > 0;
                      });
    const Rows rows = skip ? Rows{rows_.block, {0, rows_.single}} : Rows{0, rows_};
    Project(pool, layer, rows);
    FeedForward(pool, layer, rows);
  }
  for (Slice* slice : order_) {
    if (Status status = slice->memory->EndStep(pool); !status.ok()) return status;
  }
  Logits(pool);
  return {};
}

void Decoder::Embed(ThreadPool& pool) {
  const auto size = [&](int64_t width) { return static_cast<size_t>(rows_.total() * width); };
  b_.x.resize(size(config_.width));
  b_.h.resize(b_.x.size());
  b_.projected.resize(b_.x.size());
  b_.q.resize(size(config_.heads * config_.head_dim));
  b_.attended.resize(b_.q.size());
  b_.k.resize(size(config_.kv_heads * config_.head_dim));
  b_.v.resize(b_.k.size());
  b_.gate.resize(size(config_.feed_forward));
  b_.up.resize(b_.gate.size());

  tokens_.clear();
  for (const Slice* slice : order_) tokens_.insert(tokens_.end(), slice->tokens.begin(), slice->tokens.end());
  ForRows(pool, rows_.total(), [&](int64_t first, int64_t count) {
    for (int64_t r = first; r < first + count; ++r) {
      float* row = b_.x.data() + r * config_.width;
      UnpackRow(weights_.embedding, tokens_[static_cast<size_t>(r)], row);
      if (config_.embedding_scale == 1.0F) continue;
      for (int64_t i = 0; i < config_.width; ++i) row[i] *= config_.embedding_scale;
    }
  });
}

void Decoder::Norm(ThreadPool& pool, const float* x, const Vector& weight, int64_t rows, int64_t width, float* y) {
  ForRows(pool, rows, [&](int64_t first, int64_t count) {
    RmsNorm(x + first * width, weight.data(), count, width, config_.norm_epsilon, y + first * width);
  });
}

// Per-head normalisation, where a model has it, and the layout that ops/rope.h expects.
void Decoder::NormHeads(ThreadPool& pool, float* rows, int64_t heads, const Vector& weight) {
  const int64_t d = config_.head_dim;
  const bool adjacent = config_.rope.pairs == RopePairs::kAdjacent;
  if (weight.empty() && !adjacent) return;
  ForRows(pool, rows_.total() * heads, [&](int64_t first, int64_t count) {
    float* at = rows + first * d;
    if (!weight.empty()) RmsNorm(at, weight.data(), count, d, config_.norm_epsilon, at);
    if (adjacent) ToHalves(at, count, d, config_.rope.dims);
  });
}

Status Decoder::Attention(ThreadPool& pool, int64_t layer) {
  const LayerWeights& w = weights_.layers[static_cast<size_t>(layer)];
  const int64_t d = config_.head_dim;
  Norm(pool, b_.x.data(), w.attention_norm, rows_.total(), config_.width, b_.h.data());
  const Linear qkv[] = {{&w.q, BiasOrNull(w.q_bias), b_.q.data()},  // [tokens, heads * head_dim]
                        {&w.k, BiasOrNull(w.k_bias), b_.k.data()},  // [tokens, kv_heads * head_dim]
                        {&w.v, BiasOrNull(w.v_bias), b_.v.data()}};
  Matmul(pool, qkv, b_.h.data(), rows_);
  NormHeads(pool, b_.q.data(), config_.heads, w.q_norm);
  NormHeads(pool, b_.k.data(), config_.kv_heads, w.k_norm);
  int64_t row = 0;
  for (Slice* slice : order_) {
    const int64_t q = row * config_.heads * d;
    const int64_t kv = row * config_.kv_heads * d;
    Status status =
        slice->memory->Attend(pool, layer, b_.q.data() + q, b_.k.data() + kv, b_.v.data() + kv, b_.attended.data() + q);
    if (!status.ok()) return status;
    row += slice->range.count;
  }
  return {};
}

// x += projected, normalised first where a model does so.
void Decoder::AddProjected(ThreadPool& pool, const Vector& norm, Rows rows) {
  const int64_t width = config_.width;
  ForRows(pool, rows.count.total(), [&](int64_t first, int64_t count) {
    float* x = b_.x.data() + (rows.first + first) * width;
    float* y = b_.projected.data() + (rows.first + first) * width;
    if (!norm.empty()) RmsNorm(y, norm.data(), count, width, config_.norm_epsilon, y);
    for (int64_t i = 0; i < count * width; ++i) x[i] += y[i];
  });
}

void Decoder::Project(ThreadPool& pool, int64_t layer, Rows rows) {
  const LayerWeights& w = weights_.layers[static_cast<size_t>(layer)];
  const float* attended = b_.attended.data() + rows.first * config_.heads * config_.head_dim;
  float* projected = b_.projected.data() + rows.first * config_.width;
  Matmul(pool, w.o, attended, rows.count, BiasOrNull(w.o_bias), projected);  // [tokens, width]
  AddProjected(pool, w.post_attention_norm, rows);
}

void Decoder::FeedForward(ThreadPool& pool, int64_t layer, Rows rows) {
  const LayerWeights& w = weights_.layers[static_cast<size_t>(layer)];
  const int64_t at = rows.first * config_.width;
  const int64_t total = rows.count.total();
  Norm(pool, b_.x.data() + at, w.ffn_norm, total, config_.width, b_.h.data() + at);
  const Linear gate_up[] = {{&w.gate, nullptr, b_.gate.data()}, {&w.up, nullptr, b_.up.data()}};
  Matmul(pool, gate_up, b_.h.data() + at, rows.count);  // [tokens, feed_forward]
  ForRows(pool, total, [&](int64_t first, int64_t count) {
    GatedActivation(config_.activation, b_.gate.data() + first * config_.feed_forward,
                    b_.up.data() + first * config_.feed_forward, count * config_.feed_forward);
  });
  Matmul(pool, w.down, b_.gate.data(), rows.count, nullptr, b_.projected.data() + at);  // [tokens, width]
  AddProjected(pool, w.post_ffn_norm, rows);
}

void Decoder::Logits(ThreadPool& pool) {
  int64_t end = 0;
  for (Slice* slice : order_) {
    end += slice->range.count;
    const int64_t rows = slice->logit_rows;
    if (rows == 0) continue;
    slice->logits->resize(static_cast<size_t>(rows * config_.vocabulary));
    const float* x = b_.x.data() + (end - rows) * config_.width;
    Norm(pool, x, weights_.output_norm, rows, config_.width, b_.h.data());
    const RowCount count = rows == 1 ? RowCount{0, 1} : RowCount{rows, 0};
    Matmul(pool, weights_.output, b_.h.data(), count, BiasOrNull(weights_.output_bias), slice->logits->data());
    if (config_.logit_softcap == 0.0F) continue;
    ForRows(pool, rows * config_.vocabulary, [&](int64_t first, int64_t size) {
      for (float& logit : std::span(slice->logits->data() + first, static_cast<size_t>(size))) {
        logit = config_.logit_softcap * std::tanh(logit / config_.logit_softcap);
      }
    });
  }
}

}  // namespace ltri
