// Every tiny model loads with the right configuration, and its weights are what was written.
#include "weights/gguf_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "support/llama_reference.h"
#include "support/tiny_gguf.h"
#include "weights/ggml_types.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

using testing::AllTinySpecs;
using testing::TinyModelSpec;
using testing::TinyRope;
using testing::TinySpec;
using testing::TinyTensorValues;
using testing::WriteTinyGguf;

std::string Folder() {
  const std::string folder = ::testing::TempDir() + "/ltri_gguf_model";
  std::filesystem::create_directories(folder);
  return folder;
}

LoadedModel Load(const std::string& path) {
  auto model = LoadModelFile(path);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return model.ok() ? std::move(*model) : LoadedModel();
}

void ExpectRows(const Matrix& matrix, const std::vector<float>& expected, int64_t first_row) {
  std::vector<float> row(static_cast<size_t>(matrix.cols));
  for (int64_t r = 0; r < matrix.rows; ++r) {
    DequantizeRow(matrix.type, matrix.data + r * matrix.row_bytes, row.data(), matrix.cols);
    for (int64_t c = 0; c < matrix.cols; ++c) {
      ASSERT_EQ(row[static_cast<size_t>(c)], expected[static_cast<size_t>((first_row + r) * matrix.cols + c)])
          << "row " << r << ", column " << c;
    }
  }
}

class TinyModelTest : public ::testing::TestWithParam<TinyModelSpec> {};

TEST_P(TinyModelTest, LoadsWithTheRightConfiguration) {
  const TinyModelSpec& spec = GetParam();
  const ModelConfig config = Load(WriteTinyGguf(spec, Folder())).config;
  EXPECT_EQ(config.architecture, spec.architecture);
  EXPECT_EQ(config.name, "Tiny random model");
  EXPECT_EQ(config.layers, spec.layers);
  EXPECT_EQ(config.width, spec.width);
  EXPECT_EQ(config.heads, spec.heads);
  EXPECT_EQ(config.kv_heads, spec.kv_heads);
  EXPECT_EQ(config.head_dim, spec.head_dim);
  EXPECT_EQ(config.feed_forward, spec.feed_forward);
  EXPECT_EQ(config.vocabulary, spec.vocabulary);
  EXPECT_EQ(config.trained_context, spec.context);
  EXPECT_FLOAT_EQ(config.norm_epsilon, 1e-5F);
  EXPECT_FLOAT_EQ(config.attention_scale, 1.0F / std::sqrt(static_cast<float>(spec.head_dim)));
  EXPECT_FLOAT_EQ(config.logit_softcap, spec.logit_softcap);
  EXPECT_EQ(config.sliding_window, spec.sliding_window);
  const bool gemma = spec.architecture == "gemma3";
  EXPECT_FLOAT_EQ(config.embedding_scale, gemma ? 8.0F : 1.0F);
  EXPECT_EQ(config.activation, gemma ? Activation::kGelu : Activation::kSilu);
  for (int64_t layer = 0; layer < spec.layers; ++layer) EXPECT_EQ(config.IsSliding(layer), gemma && layer % 6 != 5);
}

TEST_P(TinyModelTest, LoadsWithTheRightRope) {
  const TinyModelSpec& spec = GetParam();
  const ModelConfig config = Load(WriteTinyGguf(spec, Folder())).config;
  const RopeConfig& rope = config.rope;
  const bool adjacent = spec.architecture == "llama" || spec.architecture == "glm4" || spec.architecture == "chatglm";
  const bool gemma = spec.architecture == "gemma3";
  EXPECT_EQ(rope.pairs, adjacent ? RopePairs::kAdjacent : RopePairs::kHalves);
  EXPECT_EQ(rope.dims, spec.rope_dims > 0 ? spec.rope_dims : spec.head_dim);
  EXPECT_FLOAT_EQ(rope.base, gemma ? 1e6F : 5e4F);
  const bool scaled = spec.rope == TinyRope::kLinear || spec.rope == TinyRope::kYarn;
  EXPECT_FLOAT_EQ(rope.scale, scaled ? 0.25F : 1.0F);
  EXPECT_FLOAT_EQ(rope.yarn_ext_factor, spec.rope == TinyRope::kYarn ? 1.0F : 0.0F);
  EXPECT_FLOAT_EQ(rope.magnitude, spec.rope == TinyRope::kLong ? 1.19F : 1.0F);
  const bool original = spec.rope == TinyRope::kYarn || spec.rope == TinyRope::kLong;
  EXPECT_EQ(rope.original_context, original ? spec.original_context : spec.context);
  const int64_t pairs = rope.dims / 2;
  std::vector<float> factors;
  std::vector<float> long_factors;
  if (spec.rope == TinyRope::kFactors) factors = TinyTensorValues(spec, "rope_freqs.weight", 1, pairs);
  if (spec.rope == TinyRope::kLong) {
    factors = TinyTensorValues(spec, "rope_factors_short.weight", 1, pairs);
    long_factors = TinyTensorValues(spec, "rope_factors_long.weight", 1, pairs);
  }
  EXPECT_EQ(rope.factors, factors);
  EXPECT_EQ(rope.long_factors, long_factors);
  if (gemma) {
    EXPECT_FLOAT_EQ(config.local_rope.base, 10000.0F);
    EXPECT_FLOAT_EQ(config.local_rope.scale, 1.0F);
    EXPECT_EQ(config.local_rope.dims, rope.dims);
  }
}

TEST_P(TinyModelTest, ViewsEqualWhatWasWritten) {
  const TinyModelSpec& spec = GetParam();
  const LoadedModel model = Load(WriteTinyGguf(spec, Folder()));
  const ModelWeights& weights = model.weights;
  ASSERT_EQ(static_cast<int64_t>(weights.layers.size()), spec.layers);
  ExpectRows(weights.embedding, TinyTensorValues(spec, "token_embd.weight", spec.vocabulary, spec.width), 0);
  if (spec.tied) {
    EXPECT_EQ(weights.output.data, weights.embedding.data);
  } else {
    ExpectRows(weights.output, TinyTensorValues(spec, "output.weight", spec.vocabulary, spec.width), 0);
  }
  EXPECT_EQ(weights.output_norm, TinyTensorValues(spec, "output_norm.weight", 1, spec.width));

  const LayerWeights& layer = weights.layers.back();
  const std::string block = "blk." + std::to_string(spec.layers - 1) + ".";
  const int64_t q = spec.heads * spec.head_dim;
  const int64_t kv = spec.kv_heads * spec.head_dim;
  if (spec.fused_qkv) {
    const auto fused = TinyTensorValues(spec, block + "attn_qkv.weight", q + 2 * kv, spec.width);
    ExpectRows(layer.q, fused, 0);
    ExpectRows(layer.k, fused, q);
    ExpectRows(layer.v, fused, q + kv);
  } else {
    ExpectRows(layer.v, TinyTensorValues(spec, block + "attn_v.weight", kv, spec.width), 0);
  }
  EXPECT_EQ(layer.q.rows, q);
  EXPECT_EQ(layer.k.rows, kv);
  EXPECT_EQ(layer.v.rows, kv);
  EXPECT_EQ(layer.q_bias.size(), static_cast<size_t>(spec.qkv_bias ? q : 0));
  EXPECT_EQ(layer.v_bias.size(), static_cast<size_t>(spec.qkv_bias ? kv : 0));
  EXPECT_EQ(layer.o_bias.size(), static_cast<size_t>(spec.output_projection_bias ? spec.width : 0));
  if (spec.fused_qkv && spec.qkv_bias) {
    const auto bias = TinyTensorValues(spec, block + "attn_qkv.bias", 1, q + 2 * kv);
    EXPECT_EQ(layer.k_bias, std::vector<float>(bias.begin() + q, bias.begin() + q + kv));
  }
  ExpectRows(layer.down, TinyTensorValues(spec, block + "ffn_down.weight", spec.width, spec.feed_forward), 0);
  if (spec.architecture == "phi3" || spec.architecture == "glm4" || spec.architecture == "chatglm") {
    const auto fused = TinyTensorValues(spec, block + "ffn_up.weight", 2 * spec.feed_forward, spec.width);
    ExpectRows(layer.gate, fused, 0);
    ExpectRows(layer.up, fused, spec.feed_forward);
  }
}

// The files are models to llama.cpp too, and it finds the logits finite and not all alike.
TEST_P(TinyModelTest, LlamaCppRunsIt) {
  const TinyModelSpec& spec = GetParam();
  testing::LlamaReference reference(WriteTinyGguf(spec, Folder()), 256);
  EXPECT_EQ(reference.vocabulary(), spec.vocabulary);
  const std::vector<int32_t> tokens = reference.Tokenize("the cat and the hat", /*add_special=*/false);
  ASSERT_GT(tokens.size(), 4U);
  const auto logits = reference.Logits(tokens, static_cast<int64_t>(tokens.size()) - 2);
  ASSERT_EQ(logits.size(), tokens.size());
  for (const auto& row : logits) {
    for (const float logit : row) ASSERT_TRUE(std::isfinite(logit));
    EXPECT_NE(row[0], row[1]);
  }
  EXPECT_EQ(reference.Greedy(tokens, 3).size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(All, TinyModelTest, ::testing::ValuesIn(AllTinySpecs()),
                         [](const auto& spec) { return spec.param.name; });

TEST(GgufModelTest, QuantisedMatricesKeepTheirType) {
  for (const int type : {1, 2, 8, 30}) {  // F16, Q4_0, Q8_0, BF16
    TinyModelSpec spec = TinySpec("phi3");
    spec.name = std::string("phi3_") + TypeName(type);
    spec.type = type;
    const LoadedModel model = Load(WriteTinyGguf(spec, Folder()));
    const LayerWeights& layer = model.weights.layers[0];
    EXPECT_EQ(layer.k.type, type);
    EXPECT_EQ(layer.k.row_bytes, TypeRowBytes(type, spec.width));
    const auto fused = TinyTensorValues(spec, "blk.0.attn_qkv.weight", 128, spec.width);
    std::vector<float> row(static_cast<size_t>(spec.width));
    DequantizeRow(type, layer.k.data, row.data(), spec.width);
    for (size_t c = 0; c < row.size(); ++c) EXPECT_NEAR(row[c], fused[64 * row.size() + c], 0.05F);
  }
}

}  // namespace
}  // namespace ltri
