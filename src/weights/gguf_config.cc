#include "weights/gguf_config.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace ltri {
namespace {

constexpr int64_t kMaxLayers = 1000;
constexpr int64_t kMaxWidth = 1 << 20;
constexpr int64_t kMaxHeads = 4096;
constexpr int64_t kMaxHeadDim = 1024;
constexpr int64_t kMaxFeedForward = 1 << 24;
constexpr int64_t kMaxContext = std::numeric_limits<int32_t>::max();
constexpr int64_t kGemma3LayersOf27B = 62;
constexpr int64_t kGemma3Pattern = 6;  // every sixth layer sees everything

std::string KnownArchitectures() {
  std::string names;
  for (const Architecture& architecture : AllArchitectures()) {
    names += (names.empty() ? "" : ", ") + std::string(architecture.name);
  }
  return names;
}

// What llama.cpp knows of a family and this decoder does not do.
void RejectVariants(GgufFields& fields, const ModelConfig& config) {
  const int64_t experts = fields.IntegerOr("expert_count", 0, 0, std::numeric_limits<int32_t>::max());
  if (experts > 0) {
    fields.Fail(ErrorCode::kUnsupported,
                fmt::format("{} is {}: mixture-of-experts models are not supported; take a dense model",
                            fields.Name("expert_count"), experts));
  }
  const int64_t value_length = fields.IntegerOr("attention.value_length", config.head_dim, 1, kMaxHeadDim);
  if (value_length != config.head_dim) {
    fields.Fail(ErrorCode::kUnsupported,
                fmt::format("{} is {}, but keys have {} values; they must be equal",
                            fields.Name("attention.value_length"), value_length, config.head_dim));
  }
  for (const char* key : {"attention.key_length_swa", "attention.value_length_swa"}) {
    const int64_t length = fields.IntegerOr(key, config.head_dim, 1, kMaxHeadDim);
    if (length != config.head_dim) {
      fields.Fail(ErrorCode::kUnsupported, fmt::format("{} is {}, but other layers have {}; they must be equal",
                                                       fields.Name(key), length, config.head_dim));
    }
  }
}

void ReadHeads(GgufFields& fields, ModelConfig& config) {
  config.heads = fields.Integer("attention.head_count", 1, kMaxHeads);
  config.kv_heads = fields.IntegerOr("attention.head_count_kv", config.heads, 1, kMaxHeads);
  if (config.heads % config.kv_heads != 0) {
    fields.Fail(ErrorCode::kCorrupt,
                fmt::format("{} is {}, which does not divide the {} query heads",
                            fields.Name("attention.head_count_kv"), config.kv_heads, config.heads));
  }
  if (fields.Has("attention.key_length")) {
    config.head_dim = fields.Integer("attention.key_length", 2, kMaxHeadDim);
  } else {
    config.head_dim = config.width / config.heads;
    if (config.width % config.heads != 0 || config.head_dim > kMaxHeadDim) {
      fields.Fail(ErrorCode::kCorrupt, fmt::format("{} is {}, which does not go with {} heads",
                                                   fields.Name("embedding_length"), config.width, config.heads));
    }
  }
  if (config.head_dim % 2 != 0 || config.head_dim == 0) {
    fields.Fail(ErrorCode::kCorrupt,
                fmt::format("{} is {}, expected an even number", fields.Name("attention.key_length"), config.head_dim));
    config.head_dim = 2;
  }
  config.attention_scale = 1.0F / std::sqrt(static_cast<float>(config.head_dim));
}

void ReadGemma3(GgufFields& fields, ModelConfig& config) {
  config.embedding_scale = std::sqrt(static_cast<float>(config.width));
  config.logit_softcap = fields.NumberOr("final_logit_softcapping", 0.0F, 0.0, 1e6);
  if (config.layers == kGemma3LayersOf27B) {
    const int64_t share = config.width / config.heads;  // not head_dim
    config.attention_scale = 1.0F / std::sqrt(static_cast<float>(share));
  }
  config.sliding_window = fields.IntegerOr("attention.sliding_window", 0, 0, kMaxContext);
  if (config.sliding_window == 0) return;

  const std::string key = "attention.sliding_window_pattern";
  const GgufValue* pattern = fields.file().FindValue(fields.Key(key));
  if (pattern != nullptr && pattern->type == GgufType::kArray) {
    config.is_sliding = fields.Bools(key, config.layers);
    return;
  }
  const int64_t every = fields.IntegerOr(key, kGemma3Pattern, 0, kMaxLayers);  // 0: no layer sees everything
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    config.is_sliding.push_back(every == 0 || layer % every < every - 1);
  }
}

// The vocabulary is what the embedding has rows for.
void ReadVocabulary(GgufFields& fields, ModelConfig& config) {
  const GgufTensor* embedding = fields.file().FindTensor("token_embd.weight");
  if (embedding == nullptr) {
    fields.Fail(ErrorCode::kCorrupt, fmt::format("tensor {} is missing; is this a model without weights?",
                                                 Quoted(fields.file().Called("token_embd.weight"))));
    return;
  }
  config.vocabulary = embedding->shape[1];
  if (config.vocabulary > std::numeric_limits<int32_t>::max()) {
    fields.Fail(ErrorCode::kCorrupt, fmt::format("tensor \"token_embd.weight\" has {} rows, more than there are "
                                                 "token numbers",
                                                 config.vocabulary));
  }
  const GgufValue* tokens = fields.file().FindValue("tokenizer.ggml.tokens");
  if (tokens != nullptr && tokens->count != static_cast<uint64_t>(config.vocabulary)) {
    fields.Fail(ErrorCode::kCorrupt, fmt::format("tokenizer.ggml.tokens has {} elements, but tensor "
                                                 "\"token_embd.weight\" has {} rows; they must be equal",
                                                 tokens->count, config.vocabulary));
  }
}

void RejectSplitFile(GgufFields& fields) {
  const auto parts = fields.file().Integer("split.count");
  if (parts && *parts > 1) {
    fields.Fail(
        ErrorCode::kUnsupported,
        fmt::format("split.count is {}: this is one part of a model; join them with llama-gguf-split --merge", *parts));
  }
}

}  // namespace

Result<ModelConfig> ReadModelConfig(const GgufFile& file) {
  const auto name = file.Text("general.architecture");
  if (!name) return name.error();
  const Architecture* architecture = FindArchitecture(*name);
  if (architecture == nullptr) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: general.architecture is {}, which is not supported; "
                                                      "supported are {}",
                                                      file.path(), Quoted(*name), KnownArchitectures())};
  }

  GgufFields fields(file, *name);
  ModelConfig config;
  config.architecture = *name;
  if (auto title = file.Text("general.name"); title) config.name = std::move(*title);
  config.activation = architecture->activation;
  RejectSplitFile(fields);
  config.layers = fields.Integer("block_count", 1, kMaxLayers);
  // Layers at the end that predict further tokens are left out, as llama.cpp does.
  const int64_t prediction_layers = fields.IntegerOr("nextn_predict_layers", 0, 0, kMaxLayers);
  if (prediction_layers >= config.layers && fields.ok()) {
    fields.Fail(ErrorCode::kCorrupt,
                fmt::format("{} is {}, but there are {} layers", fields.Name("nextn_predict_layers"), prediction_layers,
                            config.layers));
  }
  config.layers = std::max<int64_t>(1, config.layers - prediction_layers);
  config.width = fields.Integer("embedding_length", 1, kMaxWidth);
  config.feed_forward = fields.Integer("feed_forward_length", 1, kMaxFeedForward);
  config.trained_context = fields.Integer("context_length", 1, kMaxContext);
  config.norm_epsilon = fields.Number("attention.layer_norm_rms_epsilon", 0.0, 1.0);
  ReadHeads(fields, config);
  RejectVariants(fields, config);
  ReadVocabulary(fields, config);
  if (config.architecture == "gemma3") ReadGemma3(fields, config);
  ReadRope(fields, *architecture, config);
  if (!fields.ok()) return fields.status().error();
  return config;
}

}  // namespace ltri
