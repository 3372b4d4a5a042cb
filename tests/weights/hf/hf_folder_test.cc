// Folders with safetensors files against the GGUF files of the same models.
#include "weights/hf/hf_folder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "library/fingerprint.h"
#include "ltri/session.h"
#include "support/temporary_folder.h"
#include "support/tiny_folder.h"
#include "support/tiny_session.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

using testing::Cosine;
using testing::TinyFolder;
using testing::TinyModelSpec;

// The logits after each of some tokens.
std::vector<float> LogitsOf(const std::string& path, const std::vector<TokenId>& tokens) {
  auto model = Model::Load(path, {.threads = 2});
  EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
  if (!model.ok()) return {};
  SessionOptions options;
  options.method = "dense";
  Session session = testing::MakeSession(*model, options);
  std::vector<float> logits = testing::LogitsAfter(session, {tokens.begin(), tokens.end() - 3});
  for (size_t i = tokens.size() - 3; i < tokens.size(); ++i) {
    const std::vector<float> next = testing::LogitsAfter(session, {tokens[i]});
    logits.insert(logits.end(), next.begin(), next.end());
  }
  return logits;
}

class HfModelTest : public ::testing::TestWithParam<TinyModelSpec> {
 protected:
  TemporaryFolder folder_;
};

TEST_P(HfModelTest, LogitsEqualThoseOfTheGgufFile) {
  const TinyModelSpec& spec = GetParam();
  const std::string gguf = testing::WriteTinyGguf(spec, folder_.path());
  TinyFolder made = testing::MakeTinyFolder(spec, gguf);
  made.parts = spec.tied ? 1 : 3;
  const std::string path = testing::WriteTinyFolder(made, folder_.path(), spec.name, gguf);
  const std::vector<TokenId> tokens = testing::TinyText(200, 3);
  const std::vector<float> expected = LogitsOf(gguf, tokens);
  const std::vector<float> actual = LogitsOf(path, tokens);
  ASSERT_EQ(actual.size(), expected.size());
  // llama's rows are in another order, so that sums over a head round differently.
  if (spec.architecture == "llama") {
    EXPECT_GT(Cosine(expected, actual), 0.999999);
  } else {
    EXPECT_EQ(expected, actual);
  }
}

std::vector<TinyModelSpec> AllSpecs() {
  std::vector<TinyModelSpec> specs = testing::AllTinySpecs();
  std::erase_if(specs, [](const TinyModelSpec& spec) { return spec.rope == testing::TinyRope::kFactors; });
  for (const int type : {1, 30}) {  // F16, BF16
    TinyModelSpec spec = testing::TinySpec("qwen3");
    spec.name = type == 1 ? "qwen3_f16" : "qwen3_bf16";
    spec.type = type;
    specs.push_back(spec);
  }
  return specs;
}

INSTANTIATE_TEST_SUITE_P(All, HfModelTest, ::testing::ValuesIn(AllSpecs()),
                         [](const auto& spec) { return spec.param.name; });

// A small model, changed by a test before it is written.
class HfFolderTest : public ::testing::Test {
 protected:
  explicit HfFolderTest(const char* name = "llama") : spec_(testing::TinySpec(name)) {
    gguf_ = testing::WriteTinyGguf(spec_, folder_.path());
    made_ = testing::MakeTinyFolder(spec_, gguf_);
  }

  std::string Write() { return testing::WriteTinyFolder(made_, folder_.path(), "model", gguf_); }
  Result<LoadedModel> Load() { return LoadModelFile(Write()); }
  void ExpectError(ErrorCode code, const std::vector<std::string>& parts) { ExpectError(Load(), code, parts); }
  void ExpectError(const Result<LoadedModel>& model, ErrorCode code, const std::vector<std::string>& parts) {
    ASSERT_FALSE(model.ok());
    EXPECT_EQ(model.error().code, code) << model.error().message;
    EXPECT_TRUE(model.error().message.starts_with(folder_.path() + "/model")) << model.error().message;
    for (const std::string& part : parts) {
      EXPECT_NE(model.error().message.find(part), std::string::npos) << part << " in " << model.error().message;
    }
  }

  TemporaryFolder folder_;
  TinyModelSpec spec_;
  std::string gguf_;
  TinyFolder made_;
};

class HfGemmaTest : public HfFolderTest {
 protected:
  HfGemmaTest() : HfFolderTest("gemma3") {}
};

TEST_F(HfFolderTest, KeepsWeightsWhereTheyAre) {
  const auto model = Load();
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->config.rope.pairs, RopePairs::kHalves);
  EXPECT_EQ(model->config.name, "model");
  const testing::HfTensor& down = made_.tensors["model.layers.2.mlp.down_proj.weight"];
  EXPECT_EQ(std::memcmp(model->weights.layers[2].down.data, down.data.data(), down.data.size()), 0);
}

// transformers divides frequencies by wave length; the factors must undo what is left of each.
TEST_F(HfFolderTest, StretchesLlama3FrequenciesAsTransformersDoes) {
  made_.config["rope_scaling"] = {{"rope_type", "llama3"},
                                  {"factor", 8.0},
                                  {"low_freq_factor", 1.0},
                                  {"high_freq_factor", 4.0},
                                  {"original_max_position_embeddings", 512}};
  made_.config["rope_theta"] = 500000.0;
  const auto model = Load();
  ASSERT_TRUE(model.ok()) << model.error().message;
  const std::vector<float>& factors = model->config.rope.factors;
  ASSERT_EQ(factors.size(), 8U);
  for (size_t i = 0; i < factors.size(); ++i) {
    const double frequency = std::pow(500000.0, -static_cast<double>(i) / 8);
    const double waves = 512 * frequency / (2 * M_PI);  // in the original context
    double expected = frequency / 8;
    if (waves > 4) expected = frequency;
    if (waves >= 1 && waves <= 4) {
      const double smooth = (waves - 1) / 3;
      expected = (1 - smooth) * frequency / 8 + smooth * frequency;
    }
    EXPECT_NEAR(frequency / static_cast<double>(factors[i]), expected, 1e-6 * expected) << i;
  }
  EXPECT_EQ(factors.front(), 1.0F);
  EXPECT_EQ(factors.back(), 8.0F);
}

TEST_F(HfGemmaTest, ReadsWhatNewerTransformersWrite) {
  made_.config.erase("rope_theta");
  made_.config.erase("rope_scaling");
  made_.config["rope_parameters"] = {
      {"full_attention", {{"rope_type", "linear"}, {"factor", 8.0}, {"rope_theta", 2e6}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 2e4}}}};
  made_.config["layer_types"] = nlohmann::json(std::vector<std::string>(7, "sliding_attention"));
  made_.config["layer_types"][3] = "full_attention";
  const auto model = Load();
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->config.rope.base, 2e6F);
  EXPECT_EQ(model->config.rope.scale, 0.125F);
  EXPECT_EQ(model->config.local_rope.base, 2e4F);
  EXPECT_EQ(model->config.local_rope.scale, 1.0F);
  for (int64_t layer = 0; layer < 7; ++layer) EXPECT_EQ(model->config.IsSliding(layer), layer != 3);
}

TEST_F(HfGemmaTest, FindsTheLanguageModelInAModelWithImages) {
  const auto expected = Load();
  ASSERT_TRUE(expected.ok()) << expected.error().message;
  nlohmann::json config = {{"architectures", {"Gemma3ForConditionalGeneration"}}};
  config["text_config"] = made_.config;
  made_.config = config;
  for (const char* prefix : {"language_model.model.", "model.language_model."}) {
    TinyFolder whole = made_;
    whole.tensors.clear();
    for (const auto& [name, tensor] : made_.tensors) whole.tensors[prefix + name.substr(6)] = tensor;
    whole.tensors["vision_tower.patch.weight"] = {"F32", {1, 1, 1, 2}, std::vector<std::byte>(8)};
    const auto model = LoadModelFile(testing::WriteTinyFolder(whole, folder_.path(), "images", gguf_));
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ(model->weights.output_norm, expected->weights.output_norm);
  }
}

TEST_F(HfFolderTest, CopiesTensorsAtOddAddresses) {
  const std::string path = Write();
  std::string bytes = ReadFile(path + "/model.safetensors");
  uint64_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  bytes.insert(sizeof(size) + size, " ");
  size += 1;
  std::memcpy(bytes.data(), &size, sizeof(size));
  WriteFile(path + "/model.safetensors", bytes);
  const auto model = LoadModelFile(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(model->weights.embedding.data) % alignof(float), 0U);
  const testing::HfTensor& embedding = made_.tensors["model.embed_tokens.weight"];
  EXPECT_EQ(std::memcmp(model->weights.embedding.data, embedding.data.data(), embedding.data.size()), 0);
}

TEST_F(HfFolderTest, HasAFingerprintOfItsWeightsAndItsTokenizer) {
  const std::string path = Write();
  const auto first = ModelFingerprint(path);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(*ModelFingerprint(path + "/"), *first);
  made_.tensors["model.norm.weight"].data[3] ^= std::byte{1};
  const uint64_t other_weights = *ModelFingerprint(Write());
  EXPECT_NE(other_weights, *first);
  made_.config["rope_theta"] = 123.0;
  EXPECT_NE(*ModelFingerprint(Write()), other_weights);
}

TEST_F(HfFolderTest, MissingFilesAreNamed) {
  const std::string path = Write();
  std::filesystem::remove(path + "/tokenizer.json");
  ExpectError(LoadModelFile(path), ErrorCode::kNotFound, {"tokenizer.json", "GGUF"});
  std::filesystem::remove(path + "/model.safetensors");
  ExpectError(LoadModelFile(path), ErrorCode::kNotFound, {"neither model.safetensors nor"});
}

TEST_F(HfFolderTest, DamagedPartsAreNamed) {
  made_.parts = 2;
  const std::string path = Write();
  const std::string index = ReadFile(path + "/model.safetensors.index.json");
  const auto expect = [&](const nlohmann::json& changed, const std::vector<std::string>& parts) {
    WriteFile(path + "/model.safetensors.index.json", changed.dump());
    ExpectError(LoadModelFile(path), ErrorCode::kCorrupt, parts);
  };
  nlohmann::json changed = nlohmann::json::parse(index);
  changed["weight_map"]["model.norm.weight"] = "../x.safetensors";
  expect(changed, {"index.json", "../x.safetensors", "\"model.norm.weight\"", "a file of this folder"});
  changed = nlohmann::json::parse(index);
  changed["weight_map"]["extra"] = "model-0.safetensors";
  expect(changed, {"\"extra\" is not in model-0.safetensors"});
  expect({{"weight_map", nlohmann::json::object()}}, {"lists no tensors"});
  WriteFile(path + "/model.safetensors.index.json", index);
  std::filesystem::copy(path + "/model-0.safetensors", path + "/model-1.safetensors",
                        std::filesystem::copy_options::overwrite_existing);
  ExpectError(LoadModelFile(path), ErrorCode::kCorrupt, {"is not in model-1.safetensors"});
  std::filesystem::remove(path + "/model-1.safetensors");
  ExpectError(LoadModelFile(path), ErrorCode::kNotFound, {"model-1.safetensors", "no such file"});
}

TEST_F(HfFolderTest, TensorsAreCalledAsInTheFolder) {
  const TinyFolder whole = made_;
  made_.tensors.erase("model.layers.1.self_attn.k_proj.weight");
  ExpectError(ErrorCode::kCorrupt, {"\"model.layers.1.self_attn.k_proj.weight\" is missing"});
  made_ = whole;
  made_.tensors.erase("lm_head.weight");
  ExpectError(ErrorCode::kCorrupt, {"\"lm_head.weight\" is missing", "tie_word_embeddings"});
  made_ = whole;
  made_.tensors.erase("model.embed_tokens.weight");
  ExpectError(ErrorCode::kCorrupt, {"\"model.embed_tokens.weight\" is missing"});
  made_ = whole;
  made_.tensors["model.layers.0.mlp.experts.0.weight"] = whole.tensors.at("model.norm.weight");
  ExpectError(ErrorCode::kUnsupported, {"\"model.layers.0.mlp.experts.0.weight\"", "no place"});
  made_ = whole;
  made_.tensors["model.norm.weight"] = whole.tensors.at("model.layers.0.mlp.up_proj.weight");
  ExpectError(ErrorCode::kCorrupt, {"\"model.norm.weight\"", "expected [64]"});
}

TEST_F(HfFolderTest, FieldsAreCalledAsInTheFolder) {
  const nlohmann::json whole = made_.config;
  const auto expect = [&](ErrorCode code, const nlohmann::json& changes, const std::vector<std::string>& parts) {
    made_.config = whole;
    made_.config.merge_patch(changes);
    ExpectError(code, parts);
  };
  constexpr ErrorCode kCorrupt = ErrorCode::kCorrupt;
  constexpr ErrorCode kUnsupported = ErrorCode::kUnsupported;
  expect(kCorrupt, {{"num_hidden_layers", 0}}, {"num_hidden_layers in config.json is 0", "1 to 1000"});
  expect(kCorrupt, {{"num_hidden_layers", nullptr}}, {"config.json: num_hidden_layers is missing"});
  expect(kCorrupt, {{"hidden_size", "64"}}, {"config.json: hidden_size is", "a whole number"});
  expect(kCorrupt, {{"num_key_value_heads", 3}}, {"num_key_value_heads in config.json is 3", "4 query heads"});
  expect(kCorrupt, {{"head_dim", 1000000000000}}, {"head_dim in config.json is 1000000000000"});
  expect(kCorrupt, {{"architectures", nullptr}}, {"architectures is missing"});
  expect(kUnsupported, {{"architectures", {"MambaForCausalLM"}}}, {"MambaForCausalLM", "LlamaForCausalLM"});
  expect(kUnsupported, {{"hidden_act", "relu"}}, {"hidden_act is \"relu\"", "silu"});
  expect(kUnsupported, {{"quantization_config", {{"quant_method", "gptq"}}}}, {"quantization_config", "gptq"});
  expect(kUnsupported, {{"rope_scaling", {{"type", "dynamic"}}}}, {"rope_scaling: rope_type is dynamic"});
  expect(kCorrupt, {{"rope_scaling", {{"type", "linear"}}}}, {"rope_scaling: factor is missing"});
  expect(kCorrupt, {{"rope_scaling", {{"type", "longrope"}, {"short_factor", {1}}, {"long_factor", {1}}}}},
         {"rope_scaling.short_factor in config.json", "has shape [1]", "expected [8]"});
  expect(kUnsupported, {{"rope_scaling", {{"type", "yarn"}, {"factor", 2}, {"beta_fast", 8}}}}, {"beta_fast is 8"});
}

TEST_F(HfFolderTest, AConfigThatIsNoJsonSaysWhere) {
  const std::string path = Write();
  WriteFile(path + "/config.json", "{\n \"architectures\": [,\n}");
  ExpectError(LoadModelFile(path), ErrorCode::kCorrupt, {"config.json", "line 2"});
}

}  // namespace
}  // namespace ltri
