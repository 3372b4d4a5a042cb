#include "weights/gguf_model.h"

#include <fmt/format.h>

#include <charconv>

#include "weights/architecture.h"
#include "weights/gguf_config.h"
#include "weights/gguf_tensors.h"

namespace ltri {
namespace {

Vector Slice(const Vector& vector, int64_t begin, int64_t count) {
  if (vector.empty()) return {};
  return Vector(vector.begin() + begin, vector.begin() + begin + count);
}

// Fused or separate, with biases of either kind; rows are queries, then keys, then values.
void ReadQkv(GgufTensors& tensors, const std::string& block, const ModelConfig& config, LayerWeights& layer) {
  const int64_t q = config.heads * config.head_dim;
  const int64_t kv = config.kv_heads * config.head_dim;
  Vector bias;
  if (tensors.Has(block + "attn_qkv.weight")) {
    const Matrix fused = tensors.TakeMatrix(block + "attn_qkv.weight", q + 2 * kv, config.width);
    layer.q = fused.Rows(0, q);
    layer.k = fused.Rows(q, kv);
    layer.v = fused.Rows(q + kv, kv);
    bias = tensors.TakeOptionalVector(block + "attn_qkv.bias", q + 2 * kv);
  } else {
    layer.q = tensors.TakeMatrix(block + "attn_q.weight", q, config.width);
    layer.k = tensors.TakeMatrix(block + "attn_k.weight", kv, config.width);
    layer.v = tensors.TakeMatrix(block + "attn_v.weight", kv, config.width);
  }
  if (!bias.empty()) {
    layer.q_bias = Slice(bias, 0, q);
    layer.k_bias = Slice(bias, q, kv);
    layer.v_bias = Slice(bias, q + kv, kv);
  } else {
    layer.q_bias = tensors.TakeOptionalVector(block + "attn_q.bias", q);
    layer.k_bias = tensors.TakeOptionalVector(block + "attn_k.bias", kv);
    layer.v_bias = tensors.TakeOptionalVector(block + "attn_v.bias", kv);
  }
}

void ReadAttention(GgufTensors& tensors, const std::string& block, const Architecture& architecture,
                   const ModelConfig& config, LayerWeights& layer) {
  layer.attention_norm = tensors.TakeVector(block + "attn_norm.weight", config.width);
  ReadQkv(tensors, block, config, layer);
  if (architecture.head_norms) {
    layer.q_norm = tensors.TakeVector(block + "attn_q_norm.weight", config.head_dim);
    layer.k_norm = tensors.TakeVector(block + "attn_k_norm.weight", config.head_dim);
  }
  layer.o = tensors.TakeMatrix(block + "attn_output.weight", config.width, config.heads * config.head_dim);
  if (architecture.attention_output_bias) {
    layer.o_bias = tensors.TakeOptionalVector(block + "attn_output.bias", config.width);
  }
  if (architecture.post_norms) {
    layer.post_attention_norm = tensors.TakeVector(block + "post_attention_norm.weight", config.width);
  }
}

void ReadFeedForward(GgufTensors& tensors, const std::string& block, const Architecture& architecture,
                     const ModelConfig& config, LayerWeights& layer) {
  layer.ffn_norm = tensors.TakeVector(block + "ffn_norm.weight", config.width);
  if (architecture.fused_feed_forward) {
    const Matrix fused = tensors.TakeMatrix(block + "ffn_up.weight", 2 * config.feed_forward, config.width);
    layer.gate = fused.Rows(0, config.feed_forward);
    layer.up = fused.Rows(config.feed_forward, config.feed_forward);
  } else {
    layer.gate = tensors.TakeMatrix(block + "ffn_gate.weight", config.feed_forward, config.width);
    layer.up = tensors.TakeMatrix(block + "ffn_up.weight", config.feed_forward, config.width);
  }
  layer.down = tensors.TakeMatrix(block + "ffn_down.weight", config.width, config.feed_forward);
  if (architecture.post_norms) {
    layer.post_ffn_norm = tensors.TakeVector(block + "post_ffw_norm.weight", config.width);
  }
}

// The 12 of "blk.12.attn_q.weight"; -1 for tensors outside the layers.
int64_t LayerOf(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return -1;
  int64_t layer = -1;
  std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), layer);
  return layer;
}

// What the configuration has already used, old files carry along, or serves predictions of further tokens.
void IgnoreKnown(GgufTensors& tensors, const GgufFile& file, const ModelConfig& config) {
  const auto prediction = file.Integer(config.architecture + ".nextn_predict_layers");
  const int64_t prediction_layers = prediction ? *prediction : 0;
  if (!config.rope.long_factors.empty()) {
    tensors.Ignore("rope_factors_long.weight");
    tensors.Ignore("rope_factors_short.weight");
  } else if (!config.rope.factors.empty()) {
    tensors.Ignore("rope_freqs.weight");
  }
  for (const GgufTensor& tensor : file.tensors()) {
    const bool old = tensor.name.find("rotary_emb.inv_freq") != std::string_view::npos ||
                     tensor.name.find("attn_rot_embd") != std::string_view::npos;
    const int64_t layer = LayerOf(tensor.name);
    if (old || (layer >= config.layers && layer < config.layers + prediction_layers)) {
      tensors.Ignore(std::string(tensor.name));
    }
  }
}

}  // namespace

Result<ModelWeights> ReadModelWeights(const GgufFile& file, const ModelConfig& config) {
  const Architecture* architecture = FindArchitecture(config.architecture);
  GgufTensors tensors(file);
  ModelWeights weights;
  weights.storage = file.storage();
  weights.embedding = tensors.TakeMatrix("token_embd.weight", config.vocabulary, config.width);
  for (int64_t i = 0; i < config.layers && tensors.status().ok(); ++i) {
    const std::string block = fmt::format("blk.{}.", i);
    LayerWeights layer;
    ReadAttention(tensors, block, *architecture, config, layer);
    ReadFeedForward(tensors, block, *architecture, config, layer);
    weights.layers.push_back(std::move(layer));
  }
  weights.output_norm = tensors.TakeVector("output_norm.weight", config.width);
  weights.output = tensors.Has("output.weight") ? tensors.TakeMatrix("output.weight", config.vocabulary, config.width)
                                                : weights.embedding;
  if (architecture->output_bias) weights.output_bias = tensors.TakeOptionalVector("output.bias", config.vocabulary);
  IgnoreKnown(tensors, file, config);
  tensors.RejectRest();
  if (!tensors.status().ok()) return tensors.status().error();
  return weights;
}

Result<LoadedModel> LoadGguf(const GgufFile& file) {
  auto config = ReadModelConfig(file);
  if (!config) return config.error();
  auto weights = ReadModelWeights(file, *config);
  if (!weights) return weights.error();
  return LoadedModel{std::move(*config), std::move(*weights)};
}

}  // namespace ltri
