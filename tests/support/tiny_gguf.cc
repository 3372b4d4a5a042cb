#include "support/tiny_gguf.h"

#include <fmt/format.h>
#include <ggml.h>
#include <gguf.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>

#include "support/tiny_tokenizer.h"

namespace ltri::testing {
namespace {

struct GgufDeleter {
  void operator()(gguf_context* file) const { gguf_free(file); }
};
struct GgmlDeleter {
  void operator()(ggml_context* context) const { ggml_free(context); }
};

bool EndsWith(const std::string& text, const std::string& end) { return text.ends_with(end); }

// Numbers with a mean and a spread that make attention pick and logits differ.
struct Distribution {
  float mean = 0.0F;
  float spread = 1.0F;
};

Distribution DistributionOf(const std::string& tensor, int64_t cols) {
  const float unit = 1.0F / std::sqrt(static_cast<float>(cols));
  if (EndsWith(tensor, "norm.weight")) return {1.0F, 0.2F};
  if (EndsWith(tensor, ".bias")) return {0.0F, 0.3F};
  if (tensor == "rope_freqs.weight") return {4.0F, 1.7F};
  if (tensor == "rope_factors_short.weight") return {1.1F, 0.05F};
  if (tensor == "rope_factors_long.weight") return {6.0F, 2.5F};
  if (tensor == "token_embd.weight") return {0.0F, 0.5F};
  if (tensor == "output.weight") return {0.0F, 3.0F * unit};
  if (EndsWith(tensor, "attn_q.weight") || EndsWith(tensor, "attn_k.weight")) return {0.0F, 1.6F * unit};
  return {0.0F, unit};
}

class TinyWriter {
 public:
  explicit TinyWriter(const TinyModelSpec& spec)
      : spec_(spec), file_(gguf_init_empty()), context_(ggml_init({size_t{64} << 20U, nullptr, false})) {}

  void WriteValues();
  void WriteTensors();
  gguf_context* file() { return file_.get(); }

 private:
  void Set(const char* key, int64_t value) { gguf_set_val_u32(file(), Key(key).c_str(), static_cast<uint32_t>(value)); }
  void Set(const char* key, float value) { gguf_set_val_f32(file(), Key(key).c_str(), value); }
  std::string Key(const char* key) const { return spec_.architecture + "." + key; }
  void WriteRope();

  void AddVector(const std::string& name, int64_t size) { Add(name, GGML_TYPE_F32, size, 1, 1); }
  void AddMatrix(const std::string& name, int64_t rows, int64_t cols) {
    Add(name, static_cast<ggml_type>(spec_.type), cols, rows, 2);
  }
  void Add(const std::string& name, ggml_type type, int64_t cols, int64_t rows, int dims);
  void AddQkv(const std::string& block);
  void AddLayer(const std::string& block);

  const TinyModelSpec& spec_;
  std::unique_ptr<gguf_context, GgufDeleter> file_;
  std::unique_ptr<ggml_context, GgmlDeleter> context_;
};

void TinyWriter::WriteValues() {
  gguf_set_val_str(file(), "general.architecture", spec_.architecture.c_str());
  // No name of a real model: libllama looks for special tokens of "phi3" and others by it.
  gguf_set_val_str(file(), "general.name", "Tiny random model");
  Set("block_count", spec_.layers);
  Set("context_length", spec_.context);
  Set("embedding_length", spec_.width);
  Set("feed_forward_length", spec_.feed_forward);
  Set("attention.head_count", spec_.heads);
  Set("attention.head_count_kv", spec_.kv_heads);
  Set("attention.key_length", spec_.head_dim);
  Set("attention.value_length", spec_.head_dim);
  Set("attention.layer_norm_rms_epsilon", 1e-5F);
  if (spec_.sliding_window > 0) Set("attention.sliding_window", spec_.sliding_window);
  if (spec_.logit_softcap > 0) Set("final_logit_softcapping", spec_.logit_softcap);
  WriteRope();
  if (!spec_.tokenizer) return;
  if (spec_.sentence_piece) {
    AddSentencePieceTokenizer(file(), spec_.vocabulary);
  } else {
    AddBytePairTokenizer(file(), spec_.vocabulary);
  }
}

void TinyWriter::WriteRope() {
  Set("rope.dimension_count", spec_.rope_dims > 0 ? spec_.rope_dims : spec_.head_dim);
  Set("rope.freq_base", spec_.architecture == "gemma3" ? 1000000.0F : 50000.0F);
  const std::string type = Key("rope.scaling.type");
  switch (spec_.rope) {
    case TinyRope::kPlain:
    case TinyRope::kFactors:
      break;
    case TinyRope::kLinear:
      gguf_set_val_str(file(), type.c_str(), "linear");
      Set("rope.scaling.factor", 4.0F);
      break;
    case TinyRope::kYarn:
      gguf_set_val_str(file(), type.c_str(), "yarn");
      Set("rope.scaling.factor", 4.0F);
      Set("rope.scaling.original_context_length", spec_.original_context);
      break;
    case TinyRope::kLong:
      gguf_set_val_str(file(), type.c_str(), "longrope");
      Set("rope.scaling.original_context_length", spec_.original_context);
      Set("rope.scaling.attn_factor", 1.19F);
      break;
  }
}

void TinyWriter::Add(const std::string& name, ggml_type type, int64_t cols, int64_t rows, int dims) {
  ggml_tensor* tensor =
      dims == 1 ? ggml_new_tensor_1d(context_.get(), type, cols) : ggml_new_tensor_2d(context_.get(), type, cols, rows);
  ggml_set_name(tensor, name.c_str());
  const std::vector<float> values = TinyTensorValues(spec_, name, rows, cols);
  ggml_quantize_chunk(type, values.data(), tensor->data, 0, rows, cols, nullptr);
  gguf_add_tensor(file(), tensor);
}

void TinyWriter::AddQkv(const std::string& block) {
  const int64_t q = spec_.heads * spec_.head_dim;
  const int64_t kv = spec_.kv_heads * spec_.head_dim;
  if (spec_.fused_qkv) {
    AddMatrix(block + "attn_qkv.weight", q + 2 * kv, spec_.width);
    if (spec_.qkv_bias) AddVector(block + "attn_qkv.bias", q + 2 * kv);
    return;
  }
  AddMatrix(block + "attn_q.weight", q, spec_.width);
  AddMatrix(block + "attn_k.weight", kv, spec_.width);
  AddMatrix(block + "attn_v.weight", kv, spec_.width);
  if (!spec_.qkv_bias) return;
  AddVector(block + "attn_q.bias", q);
  AddVector(block + "attn_k.bias", kv);
  AddVector(block + "attn_v.bias", kv);
}

void TinyWriter::AddLayer(const std::string& block) {
  const std::string& arch = spec_.architecture;
  const bool fused_ffn = arch == "phi3" || arch == "glm4" || arch == "chatglm";
  const bool post_norms = arch == "gemma3" || arch == "glm4";
  AddVector(block + "attn_norm.weight", spec_.width);
  AddQkv(block);
  if (arch == "qwen3" || arch == "gemma3") {
    AddVector(block + "attn_q_norm.weight", spec_.head_dim);
    AddVector(block + "attn_k_norm.weight", spec_.head_dim);
  }
  AddMatrix(block + "attn_output.weight", spec_.width, spec_.heads * spec_.head_dim);
  if (spec_.output_projection_bias) AddVector(block + "attn_output.bias", spec_.width);
  if (post_norms) AddVector(block + "post_attention_norm.weight", spec_.width);
  AddVector(block + "ffn_norm.weight", spec_.width);
  if (!fused_ffn) AddMatrix(block + "ffn_gate.weight", spec_.feed_forward, spec_.width);
  AddMatrix(block + "ffn_up.weight", (fused_ffn ? 2 : 1) * spec_.feed_forward, spec_.width);
  AddMatrix(block + "ffn_down.weight", spec_.width, spec_.feed_forward);
  if (post_norms) AddVector(block + "post_ffw_norm.weight", spec_.width);
}

void TinyWriter::WriteTensors() {
  const int64_t pairs = (spec_.rope_dims > 0 ? spec_.rope_dims : spec_.head_dim) / 2;
  AddMatrix("token_embd.weight", spec_.vocabulary, spec_.width);
  if (spec_.rope == TinyRope::kFactors) AddVector("rope_freqs.weight", pairs);
  if (spec_.rope == TinyRope::kLong) {
    AddVector("rope_factors_long.weight", pairs);
    AddVector("rope_factors_short.weight", pairs);
  }
  for (int64_t layer = 0; layer < spec_.layers; ++layer) AddLayer(fmt::format("blk.{}.", layer));
  AddVector("output_norm.weight", spec_.width);
  if (!spec_.tied) AddMatrix("output.weight", spec_.vocabulary, spec_.width);
}

std::vector<TinyModelSpec> LlamaSpecs() {
  return {
      {.name = "llama", .sentence_piece = true},
      {.name = "llama_tied_wide_heads", .heads = 6, .kv_heads = 3, .head_dim = 32, .tied = true},
      {.name = "llama_biases", .qkv_bias = true, .output_projection_bias = true},
      {.name = "llama31", .rope = TinyRope::kFactors},
      {.name = "llama_linear", .rope = TinyRope::kLinear},
      {.name = "llama_yarn", .rope = TinyRope::kYarn},
      {.name = "llama_longrope", .rope = TinyRope::kLong},
  };
}

std::vector<TinyModelSpec> QwenSpecs() {
  return {
      {.name = "qwen2", .architecture = "qwen2", .qkv_bias = true},
      {.name = "qwen2_tied_yarn", .architecture = "qwen2", .rope = TinyRope::kYarn, .tied = true, .qkv_bias = true},
      {.name = "qwen3", .architecture = "qwen3", .head_dim = 32},
      {.name = "qwen3_tied", .architecture = "qwen3", .heads = 4, .kv_heads = 1, .head_dim = 32, .tied = true},
  };
}

std::vector<TinyModelSpec> FusedSpecs() {
  return {
      {.name = "phi3", .architecture = "phi3", .fused_qkv = true, .sentence_piece = true},
      {.name = "phi3_partial_long",
       .architecture = "phi3",
       .rope = TinyRope::kLong,
       .rope_dims = 12,
       .fused_qkv = true},
      {.name = "phi3_short",
       .architecture = "phi3",
       .rope = TinyRope::kLong,
       .original_context = 2048,
       .tied = true,
       .fused_qkv = true},
      {.name = "glm4", .architecture = "glm4", .head_dim = 32, .rope_dims = 16},
      {.name = "glm4_fused_bias", .architecture = "glm4", .rope_dims = 8, .fused_qkv = true, .qkv_bias = true},
      {.name = "chatglm", .architecture = "chatglm", .rope_dims = 8, .fused_qkv = true, .qkv_bias = true},
      {.name = "gemma3",
       .architecture = "gemma3",
       .layers = 7,
       .kv_heads = 1,
       .head_dim = 32,
       .sliding_window = 64,
       .tied = true,
       .sentence_piece = true},
      {.name = "gemma3_linear_softcap",
       .architecture = "gemma3",
       .layers = 6,
       .rope = TinyRope::kLinear,
       .sliding_window = 64,
       .tied = true,
       .logit_softcap = 30.0F,
       .sentence_piece = true},
  };
}

}  // namespace

std::vector<float> TinyTensorValues(const TinyModelSpec& spec, const std::string& tensor, int64_t rows, int64_t cols) {
  uint64_t seed = spec.seed;
  for (const char c : tensor) seed = seed * 1099511628211U + static_cast<unsigned char>(c);
  std::mt19937_64 random(seed);
  const Distribution distribution = DistributionOf(tensor, cols);
  std::vector<float> values(static_cast<size_t>(rows * cols));
  for (float& value : values) {
    // Uniform in (-1, 1) times sqrt(3) has variance 1, and unlike std::normal_distribution it is the same everywhere.
    const float uniform = static_cast<float>(random() >> 40U) * 0x1p-23F - 1.0F;
    value = distribution.mean + distribution.spread * 1.7320508F * uniform;
  }
  return values;
}

std::string WriteTinyGguf(const TinyModelSpec& spec, const std::string& directory,
                          const std::function<void(gguf_context*)>& edit) {
  TinyWriter writer(spec);
  writer.WriteValues();
  writer.WriteTensors();
  if (edit) edit(writer.file());
  std::string path = directory + "/" + spec.name + ".gguf";
  if (!gguf_write_to_file(writer.file(), path.c_str(), /*only_meta=*/false)) std::abort();
  return path;
}

std::vector<TinyModelSpec> AllTinySpecs() {
  std::vector<TinyModelSpec> all = LlamaSpecs();
  for (const auto& more : {QwenSpecs(), FusedSpecs()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

TinyModelSpec TinySpec(const std::string& name) {
  for (const TinyModelSpec& spec : AllTinySpecs()) {
    if (spec.name == name) return spec;
  }
  std::abort();
}

}  // namespace ltri::testing
