#include "weights/hf/hf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "weights/gguf_file.h"

namespace ltri {
namespace {

using nlohmann::json;

// What transformers takes for granted of gemma3 and leaves out of config.json.
constexpr int64_t kGemma3Context = 131072;
constexpr int64_t kGemma3Heads = 8;
constexpr int64_t kGemma3KvHeads = 4;
constexpr int64_t kGemma3HeadDim = 256;
constexpr int64_t kGemma3Window = 4096;
constexpr double kGemma3Epsilon = 1e-6;
constexpr int64_t kMostLayers = 1000;

void RejectVariants(JsonFields& fields, const JsonFields& whole) {
  if (whole.Has("quantization_config")) {
    fields.Fail(ErrorCode::kUnsupported, "quantization_config",
                fmt::format("is {}: quantised weights are read from GGUF files only; convert the original model",
                            Written(*whole.Find("quantization_config"))));
  }
  const bool is_gemma = fields.Has("hidden_activation");
  const char* name = is_gemma ? "hidden_activation" : "hidden_act";
  const std::string activation = fields.TextOr(name, "");
  if (!activation.empty() && activation != (is_gemma ? "gelu_pytorch_tanh" : "silu")) {
    fields.Fail(ErrorCode::kUnsupported, name,
                fmt::format("is {}, expected {}", Quoted(activation), is_gemma ? "gelu_pytorch_tanh" : "silu"));
  }
}

void SetSizes(HfValues& values, bool is_gemma) {
  JsonFields& fields = values.fields();
  const auto integer = [&](const char* key, const char* field, int64_t fallback) {
    values.SetInteger(key, field, is_gemma && fallback > 0 ? fields.IntegerOr(field, fallback) : fields.Integer(field));
  };
  integer("block_count", "num_hidden_layers", 0);
  integer("embedding_length", "hidden_size", 0);
  integer("feed_forward_length", "intermediate_size", 0);
  integer("context_length", "max_position_embeddings", kGemma3Context);
  integer("attention.head_count", "num_attention_heads", kGemma3Heads);
  values.SetNumber("attention.layer_norm_rms_epsilon", "rms_norm_eps",
                   is_gemma ? fields.NumberOr("rms_norm_eps", kGemma3Epsilon) : fields.Number("rms_norm_eps"));
}

// Returns the size of a head.
int64_t SetHeads(HfValues& values, bool is_gemma) {
  JsonFields& fields = values.fields();
  const int64_t heads =
      is_gemma ? fields.IntegerOr("num_attention_heads", kGemma3Heads) : fields.Integer("num_attention_heads");
  values.SetInteger("attention.head_count_kv", "num_key_value_heads",
                    fields.IntegerOr("num_key_value_heads", is_gemma ? kGemma3KvHeads : heads));
  if (!fields.Has("head_dim") && !is_gemma) return heads > 0 ? fields.Integer("hidden_size") / heads : 0;
  const int64_t head_dim = fields.IntegerOr("head_dim", kGemma3HeadDim);
  values.SetInteger("attention.key_length", "head_dim", head_dim);
  values.SetInteger("attention.value_length", "head_dim", head_dim);
  return head_dim;
}

// Which layers slide: a list, or every how many layers one sees everything.
void SetSlidingLayers(HfValues& values) {
  JsonFields& fields = values.fields();
  const char* pattern = fields.Has("sliding_window_pattern") ? "sliding_window_pattern" : "_sliding_window_pattern";
  if (!fields.Has("layer_types")) {
    if (fields.Has(pattern)) {
      values.SetInteger("attention.sliding_window_pattern", pattern, fields.Integer(pattern));
    }
    return;
  }
  std::vector<bool> sliding;
  for (const json& type : *fields.Find("layer_types")) {
    const bool known = type == "sliding_attention" || type == "full_attention";
    if (!known) {
      fields.Fail(ErrorCode::kUnsupported, "layer_types",
                  fmt::format("holds {}, expected sliding_attention or full_attention", Written(type)));
    }
    sliding.push_back(type == "sliding_attention");
  }
  values.SetFlags("attention.sliding_window_pattern", "layer_types", sliding);
}

void SetGemma3(HfValues& values, int64_t head_dim) {
  JsonFields& fields = values.fields();
  for (const char* name : {"attn_logit_softcapping", "use_bidirectional_attention"}) {
    const json* value = fields.Find(name);
    if (value == nullptr || *value == false) continue;
    fields.Fail(ErrorCode::kUnsupported, name, fmt::format("is {}, expected none", Written(*value)));
  }
  // A GGUF file does not say the scale: the largest model has another one, which is known by its layers.
  const int64_t heads = std::max<int64_t>(1, fields.IntegerOr("num_attention_heads", kGemma3Heads));
  const double scale = fields.NumberOr("query_pre_attn_scalar", static_cast<double>(kGemma3HeadDim));
  const int64_t expected = fields.Integer("num_hidden_layers") == 62 ? fields.Integer("hidden_size") / heads : head_dim;
  if (scale != static_cast<double>(expected)) {
    fields.Fail(ErrorCode::kUnsupported, "query_pre_attn_scalar", fmt::format("is {}, expected {}", scale, expected));
  }
  values.SetInteger("attention.sliding_window", "sliding_window", fields.IntegerOr("sliding_window", kGemma3Window));
  SetSlidingLayers(values);
  if (fields.Has("final_logit_softcapping")) {
    values.SetNumber("final_logit_softcapping", "final_logit_softcapping", fields.Number("final_logit_softcapping"));
  }
}

const HfArchitecture* FindArchitectureOf(JsonFields& whole) {
  const json* names = whole.Find("architectures");
  const bool is_list = names != nullptr && names->is_array() && !names->empty() && names->front().is_string();
  const HfArchitecture* found = is_list ? FindHfArchitecture(names->front().get<std::string>()) : nullptr;
  if (found != nullptr) return found;
  whole.Fail(
      is_list ? ErrorCode::kUnsupported : ErrorCode::kCorrupt, "architectures",
      fmt::format("is {}, expected one of {}", names == nullptr ? "missing" : Written(*names), KnownHfArchitectures()));
  return nullptr;
}

}  // namespace

void HfValues::SetInteger(const std::string& key, const std::string& field, int64_t value) {
  out_.SetInteger(prefix_ + key, value);
  Name(prefix_ + key, field);
}

void HfValues::SetNumber(const std::string& key, const std::string& field, double value) {
  out_.SetNumber(prefix_ + key, value);
  Name(prefix_ + key, field);
}

void HfValues::SetFlags(const std::string& key, const std::string& field, const std::vector<bool>& values) {
  out_.SetFlags(prefix_ + key, values);
  Name(prefix_ + key, field);
}

void HfValues::SetFactors(const std::string& tensor, const std::string& field, std::vector<float> values) {
  config_.factors.push_back({tensor, std::move(values)});
  Name(tensor, field);
}

Result<HfConfig> ReadHfConfig(const std::string& folder, GgufWriter& out) {
  const std::string path = folder + "/config.json";
  Result<json> read = ReadJsonFile(path);
  if (!read.ok()) return read.error();
  HfConfig config;
  config.json = *std::move(read);
  Status status;
  JsonFields whole(config.json, path, status);
  config.architecture = FindArchitectureOf(whole);
  if (!status.ok()) return status.error();
  const bool is_gemma = config.architecture->gguf == "gemma3";
  const bool is_part = config.architecture->has_images;
  JsonFields fields(is_part ? whole.Object("text_config") : config.json, path, status);
  RejectVariants(fields, whole);
  out.SetText("general.architecture", config.architecture->gguf);

  HfValues values(fields, config, out);
  SetSizes(values, is_gemma);
  const int64_t head_dim = SetHeads(values, is_gemma);
  if (is_gemma) SetGemma3(values, head_dim);
  SetRope(values, head_dim);
  config.layers = std::clamp<int64_t>(fields.Integer("num_hidden_layers"), 0, kMostLayers);
  config.tied =
      (fields.Has("tie_word_embeddings") ? fields : whole).FlagOr("tie_word_embeddings", config.architecture->tied);
  if (!status.ok()) return status.error();
  return config;
}

}  // namespace ltri
