#include "support/tiny_folder.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "support/hf_tokenizer.h"
#include "weights/ggml_types.h"
#include "weights/gguf_file.h"

namespace ltri::testing {
namespace {

using nlohmann::json;

const std::map<std::string, std::string> kClasses = {{"llama", "LlamaForCausalLM"},  {"qwen2", "Qwen2ForCausalLM"},
                                                     {"qwen3", "Qwen3ForCausalLM"},  {"phi3", "Phi3ForCausalLM"},
                                                     {"glm4", "Glm4ForCausalLM"},    {"chatglm", "GlmForCausalLM"},
                                                     {"gemma3", "Gemma3ForCausalLM"}};

const std::map<std::string, std::string> kNames = {
    {"attn_norm", "input_layernorm"},    {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},      {"attn_qkv", "self_attn.qkv_proj"},  {"attn_output", "self_attn.o_proj"},
    {"attn_q_norm", "self_attn.q_norm"}, {"attn_k_norm", "self_attn.k_norm"}, {"ffn_gate", "mlp.gate_proj"},
    {"ffn_down", "mlp.down_proj"}};

std::string NameInLayer(const std::string& architecture, const std::string& name) {
  const bool is_gemma = architecture == "gemma3";
  const bool is_fused = architecture == "phi3" || architecture == "glm4" || architecture == "chatglm";
  if (name == "ffn_up") return is_fused ? "mlp.gate_up_proj" : "mlp.up_proj";
  if (name == "ffn_norm") return is_gemma ? "pre_feedforward_layernorm" : "post_attention_layernorm";
  if (name == "post_attention_norm") return is_gemma ? "post_attention_layernorm" : "post_self_attn_layernorm";
  if (name == "post_ffw_norm") return is_gemma ? "post_feedforward_layernorm" : "post_mlp_layernorm";
  return kNames.at(name);
}

std::string HfName(const std::string& architecture, const std::string& name) {
  if (name == "token_embd.weight") return "model.embed_tokens.weight";
  if (name == "output_norm.weight") return "model.norm.weight";
  if (name == "output.weight") return "lm_head.weight";
  const size_t layer_end = name.find('.', 4);  // blk.0.attn_q.weight
  const size_t kind = name.rfind('.');
  return "model.layers." + name.substr(4, layer_end - 4) + "." +
         NameInLayer(architecture, name.substr(layer_end + 1, kind - layer_end - 1)) + name.substr(kind);
}

// Types that a folder cannot have become 32-bit floats.
HfTensor Converted(const GgufTensor& tensor) {
  HfTensor converted;
  converted.dtype = tensor.type == kTypeF16 ? "F16" : tensor.type == kTypeBf16 ? "BF16" : "F32";
  for (int i = tensor.dims - 1; i >= 0; --i) converted.shape.push_back(tensor.shape[static_cast<size_t>(i)]);
  if (TypeBlockValues(tensor.type) == 1) {
    converted.data.assign(tensor.data, tensor.data + tensor.bytes);
    return converted;
  }
  const int64_t values = tensor.shape[0] * tensor.shape[1];
  converted.data.resize(static_cast<size_t>(values) * sizeof(float));
  DequantizeRow(tensor.type, tensor.data, reinterpret_cast<float*>(converted.data.data()), values);
  return converted;
}

HfTensor Rows(const HfTensor& tensor, int64_t begin, int64_t count) {
  HfTensor rows = tensor;
  const int64_t row_bytes = static_cast<int64_t>(tensor.data.size()) / tensor.shape[0];
  rows.shape[0] = count;
  rows.data.assign(tensor.data.begin() + begin * row_bytes, tensor.data.begin() + (begin + count) * row_bytes);
  return rows;
}

// Rows of adjacent pairs to rows of halves, head by head.
void MoveToHalves(HfTensor& tensor, int64_t head_dim) {
  const HfTensor adjacent = tensor;
  tensor.data.clear();
  for (int64_t head = 0; head < adjacent.shape[0]; head += head_dim) {
    for (int64_t i = 0; i < head_dim; ++i) {
      const int64_t row = 2 * (i % (head_dim / 2)) + i / (head_dim / 2);
      const HfTensor moved = Rows(adjacent, head + row, 1);
      tensor.data.insert(tensor.data.end(), moved.data.begin(), moved.data.end());
    }
  }
}

void SubtractOne(HfTensor& tensor) {
  for (size_t i = 0; i < tensor.data.size(); i += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, tensor.data.data() + i, sizeof(value));
    value -= 1.0F;
    std::memcpy(tensor.data.data() + i, &value, sizeof(value));
  }
}

void AddTensor(const TinyModelSpec& spec, const GgufTensor& tensor, TinyFolder& folder) {
  const std::string name(tensor.name);
  if (name.starts_with("rope_")) return;
  HfTensor converted = Converted(tensor);
  const bool is_qkv = name.find("attn_qkv.") != std::string::npos;
  if (is_qkv && spec.architecture != "phi3") {
    const int64_t q = spec.heads * spec.head_dim;
    const int64_t kv = spec.kv_heads * spec.head_dim;
    const auto part = [&](const char* letter) {
      const size_t at = name.find("_qkv.");
      return HfName(spec.architecture, name.substr(0, at + 1) + letter + name.substr(at + 4));
    };
    folder.tensors[part("q")] = Rows(converted, 0, q);
    folder.tensors[part("k")] = Rows(converted, q, kv);
    folder.tensors[part("v")] = Rows(converted, q + kv, kv);
    return;
  }
  const bool is_turned = name.find("attn_q.") != std::string::npos || name.find("attn_k.") != std::string::npos;
  if (spec.architecture == "llama" && is_turned) MoveToHalves(converted, spec.head_dim);
  if (spec.architecture == "gemma3" && name.ends_with("norm.weight")) SubtractOne(converted);
  folder.tensors[HfName(spec.architecture, name)] = std::move(converted);
}

std::vector<float> Factors(const GgufFile& gguf, const char* name) {
  const GgufTensor* tensor = gguf.FindTensor(name);
  std::vector<float> factors(static_cast<size_t>(tensor->shape[0]));
  std::memcpy(factors.data(), tensor->data, factors.size() * sizeof(float));
  return factors;
}

json RopeScaling(const TinyModelSpec& spec, const GgufFile& gguf) {
  switch (spec.rope) {
    case TinyRope::kPlain:
    case TinyRope::kFactors:  // Llama 3.1 has a rule for them, of which these do not come
      return {};
    case TinyRope::kLinear:
      return {{"rope_type", "linear"}, {"factor", 4.0}};
    case TinyRope::kYarn:
      return {{"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", spec.original_context}};
    case TinyRope::kLong:
      return {{"type", "longrope"},
              {"attention_factor", 1.19},
              {"long_factor", Factors(gguf, "rope_factors_long.weight")},
              {"short_factor", Factors(gguf, "rope_factors_short.weight")}};
  }
  std::abort();
}

json Config(const TinyModelSpec& spec, const GgufFile& gguf) {
  const bool is_gemma = spec.architecture == "gemma3";
  json config = {{"architectures", {kClasses.at(spec.architecture)}},
                 {"num_hidden_layers", spec.layers},
                 {"hidden_size", spec.width},
                 {"intermediate_size", spec.feed_forward},
                 {"num_attention_heads", spec.heads},
                 {"num_key_value_heads", spec.kv_heads},
                 {"head_dim", spec.head_dim},
                 {"max_position_embeddings", spec.context},
                 {"rms_norm_eps", 1e-5},
                 {"vocab_size", spec.vocabulary},
                 {"tie_word_embeddings", spec.tied},
                 {"rope_theta", is_gemma ? 1e6 : 5e4},
                 {"rope_scaling", RopeScaling(spec, gguf)},
                 {is_gemma ? "hidden_activation" : "hidden_act", is_gemma ? "gelu_pytorch_tanh" : "silu"}};
  const int64_t turned = spec.rope_dims > 0 ? spec.rope_dims : spec.head_dim;
  config["partial_rotary_factor"] = static_cast<double>(turned) / static_cast<double>(spec.head_dim);
  if (spec.rope == TinyRope::kLong) config["original_max_position_embeddings"] = spec.original_context;
  if (is_gemma) {
    config["sliding_window"] = spec.sliding_window;
    config["query_pre_attn_scalar"] = spec.head_dim;
    if (spec.logit_softcap > 0) config["final_logit_softcapping"] = spec.logit_softcap;
  }
  return config;
}

void WriteFile(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

std::string SafetensorsBytes(const std::map<std::string, HfTensor>& tensors) {
  json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
    header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + text + data;
}

TinyFolder MakeTinyFolder(const TinyModelSpec& spec, const std::string& gguf_path) {
  const GgufFile gguf = *GgufFile::Open(gguf_path);
  TinyFolder folder;
  folder.config = Config(spec, gguf);
  for (const GgufTensor& tensor : gguf.tensors()) AddTensor(spec, tensor, folder);
  return folder;
}

std::string WriteTinyFolder(const TinyFolder& folder, const std::string& directory, const std::string& name,
                            const std::string& gguf_path) {
  std::string path = directory + "/" + name;
  std::filesystem::create_directories(path);
  WriteFile(path + "/config.json", folder.config.dump(1));
  WriteHfTokenizer(*GgufFile::Open(gguf_path), path);
  if (folder.parts == 1) {
    WriteFile(path + "/model.safetensors", SafetensorsBytes(folder.tensors));
    return path;
  }
  std::vector<std::map<std::string, HfTensor>> parts(static_cast<size_t>(folder.parts));
  json index;
  size_t next = 0;
  for (const auto& [tensor, value] : folder.tensors) {
    const size_t part = next++ % parts.size();
    parts[part][tensor] = value;
    index["weight_map"][tensor] = fmt::format("model-{}.safetensors", part);
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    WriteFile(fmt::format("{}/model-{}.safetensors", path, i), SafetensorsBytes(parts[i]));
  }
  WriteFile(path + "/model.safetensors.index.json", index.dump(1));
  return path;
}

}  // namespace ltri::testing
