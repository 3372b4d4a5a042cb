// Well-formed GGUF files that are no model we can run, and models whose bytes were damaged.
#include <gguf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>

#include "support/tiny_gguf.h"
#include "weights/gguf_model.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

using testing::TinyModelSpec;
using testing::TinySpec;
using testing::WriteTinyGguf;

struct Damage {
  const char* name;
  const char* spec;  // of TinySpec
  std::function<void(gguf_context*)> edit;
  ErrorCode code;
  const char* message;  // a part of it
};

std::ostream& operator<<(std::ostream& out, const Damage& damage) { return out << damage.name; }

std::function<void(gguf_context*)> Set(const char* key, uint32_t value) {
  return [=](gguf_context* file) { gguf_set_val_u32(file, key, value); };
}

std::function<void(gguf_context*)> Set(const char* key, float value) {
  return [=](gguf_context* file) { gguf_set_val_f32(file, key, value); };
}

std::function<void(gguf_context*)> Set(const char* key, const char* value) {
  return [=](gguf_context* file) { gguf_set_val_str(file, key, value); };
}

std::function<void(gguf_context*)> Remove(const char* key) {
  return [=](gguf_context* file) { gguf_remove_key(file, key); };
}

std::vector<Damage> ConfigDamage() {
  constexpr auto kCorrupt = ErrorCode::kCorrupt;
  constexpr auto kUnsupported = ErrorCode::kUnsupported;
  return {
      {"NoArchitecture", "llama", Remove("general.architecture"), ErrorCode::kNotFound,
       "value general.architecture is missing"},
      {"UnknownArchitecture", "llama", Set("general.architecture", "mamba"), kUnsupported,
       "general.architecture is \"mamba\", which is not supported; supported are llama, qwen2"},
      {"OtherArchitecture", "llama", Set("general.architecture", "qwen3"), ErrorCode::kNotFound,
       "value qwen3.block_count is missing"},
      {"Experts", "llama", Set("llama.expert_count", 8U), kUnsupported, "llama.expert_count is 8: mixture-of-experts"},
      {"SplitFile", "llama", Set("split.count", 3U), kUnsupported, "split.count is 3"},
      {"NoLayers", "llama", Set("llama.block_count", 0U), kCorrupt, "llama.block_count is 0, expected 1 to 1000"},
      {"ManyLayers", "llama", Set("llama.block_count", 1001U), kCorrupt, "llama.block_count is 1001"},
      {"TextForLayers", "llama", Set("llama.block_count", "3"), kCorrupt, "llama.block_count has type string"},
      {"NoWidth", "llama", Remove("llama.embedding_length"), ErrorCode::kNotFound,
       "value llama.embedding_length is missing"},
      {"HugeWidth", "llama", Set("llama.embedding_length", 1U << 31), kCorrupt, "llama.embedding_length is 2147483648"},
      {"NoHeads", "llama", Set("llama.attention.head_count", 0U), kCorrupt, "llama.attention.head_count is 0"},
      {"HeadsDoNotDivide", "llama", Set("llama.attention.head_count_kv", 3U), kCorrupt,
       "llama.attention.head_count_kv is 3, which does not divide the 4 query heads"},
      {"NoKvHeads", "llama", Set("llama.attention.head_count_kv", 0U), kCorrupt, "llama.attention.head_count_kv is 0"},
      {"OddHead", "llama", Set("llama.attention.key_length", 15U), kCorrupt, "llama.attention.key_length is 15"},
      {"LargeHead", "llama", Set("llama.attention.key_length", 2048U), kCorrupt, "llama.attention.key_length is 2048"},
      {"OtherValueLength", "llama", Set("llama.attention.value_length", 8U), kUnsupported,
       "llama.attention.value_length is 8, but keys have 16"},
      {"NoContext", "llama", Set("llama.context_length", 0U), kCorrupt, "llama.context_length is 0"},
      {"NoFeedForward", "llama", Set("llama.feed_forward_length", 0U), kCorrupt, "llama.feed_forward_length is 0"},
      {"NegativeEpsilon", "llama", Set("llama.attention.layer_norm_rms_epsilon", -1.0F), kCorrupt,
       "llama.attention.layer_norm_rms_epsilon is -1"},
      {"NanEpsilon", "llama", Set("llama.attention.layer_norm_rms_epsilon", std::numeric_limits<float>::quiet_NaN()),
       kCorrupt, "llama.attention.layer_norm_rms_epsilon is nan"},
      {"ZeroRopeBase", "llama", Set("llama.rope.freq_base", 0.0F), kCorrupt, "llama.rope.freq_base is 0"},
      {"PartialRope", "llama", Set("llama.rope.dimension_count", 8U), kCorrupt,
       "llama.rope.dimension_count is 8, expected 16"},
      {"OddRope", "phi3", Set("phi3.rope.dimension_count", 7U), kCorrupt,
       "phi3.rope.dimension_count is 7, expected an even number"},
      {"WideRope", "phi3", Set("phi3.rope.dimension_count", 32U), kCorrupt, "phi3.rope.dimension_count is 32"},
      {"UnknownScaling", "llama", Set("llama.rope.scaling.type", "dynamic"), kUnsupported,
       "llama.rope.scaling.type is \"dynamic\""},
      {"NegativeScaling", "llama", Set("llama.rope.scaling.factor", -2.0F), kCorrupt,
       "llama.rope.scaling.factor is -2"},
      {"ManySectionsOfRope", "glm4",
       [](gguf_context* file) {
         const int32_t sections[] = {2, 3, 3, 0};
         gguf_set_arr_data(file, "glm4.rope.dimension_sections", GGUF_TYPE_INT32, sections, 4);
       },
       kUnsupported, "glm4.rope.dimension_sections is 2, 3"},
      {"LayersDiffer", "llama",
       [](gguf_context* file) {
         const uint32_t heads[] = {4, 4, 2};
         gguf_set_arr_data(file, "llama.attention.head_count", GGUF_TYPE_UINT32, heads, 3);
       },
       kUnsupported, "llama.attention.head_count is 4 in layer 0 and 2 in layer 2"},
      {"ShortSlidingPattern", "gemma3",
       [](gguf_context* file) {
         const int8_t pattern[] = {1, 0};
         gguf_set_arr_data(file, "gemma3.attention.sliding_window_pattern", GGUF_TYPE_BOOL, pattern, 2);
       },
       kCorrupt, "gemma3.attention.sliding_window_pattern has 2 elements, expected 7"},
      {"PredictionLayersOnly", "glm4", Set("glm4.nextn_predict_layers", 3U), kCorrupt,
       "glm4.nextn_predict_layers is 3"},
      {"TokensMissing", "llama",
       [](gguf_context* file) { gguf_set_arr_str(file, "tokenizer.ggml.tokens", nullptr, 0); }, kCorrupt,
       "tokenizer.ggml.tokens has 0 elements"},
  };
}

std::vector<Damage> TensorDamage() {
  constexpr auto kCorrupt = ErrorCode::kCorrupt;
  return {
      {"OtherFeedForward", "llama", Set("llama.feed_forward_length", 128U), kCorrupt,
       "tensor \"blk.0.ffn_gate.weight\" has shape [64, 96], expected [64, 128]"},
      {"OtherFusedFeedForward", "phi3", Set("phi3.feed_forward_length", 100U), kCorrupt,
       "tensor \"blk.0.ffn_up.weight\" has shape [64, 192], expected [64, 200]"},
      {"OtherKvHeads", "chatglm", Set("chatglm.attention.head_count_kv", 4U), kCorrupt,
       "tensor \"blk.0.attn_qkv.weight\" has shape [64, 128], expected [64, 192]"},
      {"OtherWidth", "qwen3", Set("qwen3.embedding_length", 128U), kCorrupt,
       "tensor \"token_embd.weight\" has shape [64, 300], expected [128, 300]"},
      {"MoreLayers", "gemma3", Set("gemma3.block_count", 8U), kCorrupt, "tensor \"blk.7.attn_norm.weight\" is missing"},
      {"FewerLayers", "llama", Set("llama.block_count", 2U), ErrorCode::kUnsupported,
       "tensor \"blk.2.attn_norm.weight\" with shape [64] has no place"},
      {"PostNormsMissing", "chatglm",
       [](gguf_context* file) {
         const auto as_glm4 = [&](const char* from, const char* to) {
           gguf_set_val_u32(file, to, gguf_get_val_u32(file, gguf_find_key(file, from)));
         };
         gguf_set_val_str(file, "general.architecture", "glm4");
         for (const char* key : {"block_count", "context_length", "embedding_length", "feed_forward_length",
                                 "attention.head_count", "attention.head_count_kv", "rope.dimension_count"}) {
           as_glm4((std::string("chatglm.") + key).c_str(), (std::string("glm4.") + key).c_str());
         }
         gguf_set_val_f32(file, "glm4.attention.layer_norm_rms_epsilon", 1e-5F);
       },
       kCorrupt, "tensor \"blk.0.post_attention_norm.weight\" is missing"},
      {"OtherRopeFactors", "phi3_partial_long", Set("phi3.rope.dimension_count", 8U), kCorrupt,
       "tensor \"rope_factors_short.weight\" has shape [6], expected [4]"},
      {"UnusedRopeFactors", "llama31", Set("llama.rope.scaling.type", "longrope"), ErrorCode::kUnsupported,
       "tensor \"rope_freqs.weight\" with shape [8] has no place"},
  };
}

class ModelDamageTest : public ::testing::TestWithParam<Damage> {
 protected:
  static std::string Folder() {
    const std::string folder = ::testing::TempDir() + "/ltri_gguf_damage";
    std::filesystem::create_directories(folder);
    return folder;
  }
};

TEST_P(ModelDamageTest, IsAnErrorThatNamesFileFieldAndValue) {
  TinyModelSpec spec = TinySpec(GetParam().spec);
  spec.name = GetParam().name;
  const std::string path = WriteTinyGguf(spec, Folder(), GetParam().edit);
  const auto model = LoadModelFile(path);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().message.rfind(path + ": ", 0), 0U) << model.error().message;
  EXPECT_NE(model.error().message.find(GetParam().message), std::string::npos) << model.error().message;
  EXPECT_EQ(model.error().code, GetParam().code);
}

const auto kName = [](const auto& damage) { return std::string(damage.param.name); };
INSTANTIATE_TEST_SUITE_P(Config, ModelDamageTest, ::testing::ValuesIn(ConfigDamage()), kName);
INSTANTIATE_TEST_SUITE_P(Tensors, ModelDamageTest, ::testing::ValuesIn(TensorDamage()), kName);

// A small but complete model: no tokenizer, few values.
std::vector<char> SmallModel() {
  TinyModelSpec spec = TinySpec("gemma3");
  spec.name = "small";
  spec.layers = 2;
  spec.width = 16;
  spec.heads = 2;
  spec.head_dim = 8;
  spec.feed_forward = 16;
  spec.vocabulary = 8;
  spec.tokenizer = false;
  std::ifstream file(WriteTinyGguf(spec, ::testing::TempDir()), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Bytes in a block of exactly their size, so that AddressSanitizer sees every step beyond.
Status LoadBytes(const char* bytes, size_t size) {
  const std::unique_ptr<std::byte[]> copy(new std::byte[size]);
  if (size > 0) std::memcpy(copy.get(), bytes, size);
  const auto file = GgufFile::Parse({copy.get(), size}, "damaged.gguf", nullptr);
  if (!file) return file.error();
  const auto model = LoadGguf(*file);
  return model ? Status() : Status(model.error());
}

TEST(ModelBytesTest, EveryTruncationIsAnError) {
  const std::vector<char> bytes = SmallModel();
  ASSERT_TRUE(LoadBytes(bytes.data(), bytes.size()).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Status status = LoadBytes(bytes.data(), size);
    ASSERT_FALSE(status.ok()) << size << " of " << bytes.size() << " bytes";
    ASSERT_EQ(status.error().message.rfind("damaged.gguf: ", 0), 0U) << status.error().message;
  }
}

// In front of the tensors; their own bytes may be anything.
size_t HeaderSize(const std::vector<char>& bytes) {
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
  const auto file = GgufFile::Parse({begin, bytes.size()}, "small.gguf", nullptr);
  return file.ok() ? static_cast<size_t>(file->tensors()[0].data - begin) : bytes.size();
}

TEST(ModelBytesTest, NoDamagedByteIsFatal) {
  const std::vector<char> bytes = SmallModel();
  std::vector<char> damaged = bytes;
  for (size_t i = 0; i < HeaderSize(bytes); ++i) {
    for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF, bytes[i] + 1, bytes[i] - 1}) {
      damaged[i] = static_cast<char>(value);
      (void)LoadBytes(damaged.data(), damaged.size());
    }
    damaged[i] = bytes[i];
  }
}

}  // namespace
}  // namespace ltri
