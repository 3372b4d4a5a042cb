// Real files load with the configuration that their makers published.
#include <gtest/gtest.h>

#include "support/test_model.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

TEST(RealModelTest, SmolLm2LoadsAsPublished) {
  const std::string path = TestModel("smollm2");
  if (path.empty()) GTEST_SKIP() << kNoTestModel;
  const auto model = LoadModelFile(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const ModelConfig& config = model->config;
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.layers, 30);
  EXPECT_EQ(config.width, 576);
  EXPECT_EQ(config.heads, 9);
  EXPECT_EQ(config.kv_heads, 3);
  EXPECT_EQ(config.head_dim, 64);
  EXPECT_EQ(config.feed_forward, 1536);
  EXPECT_EQ(config.vocabulary, 49152);
  EXPECT_EQ(config.trained_context, 8192);
  EXPECT_FLOAT_EQ(config.rope.base, 100000.0F);
  EXPECT_EQ(model->weights.output.data, model->weights.embedding.data);  // tied
  EXPECT_EQ(model->weights.layers.size(), 30U);
}

TEST(RealModelTest, Gemma3LoadsAsPublished) {
  const std::string path = TestModel("gemma3-270m");
  if (path.empty()) GTEST_SKIP() << kNoTestModel;
  const auto model = LoadModelFile(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const ModelConfig& config = model->config;
  EXPECT_EQ(config.architecture, "gemma3");
  EXPECT_EQ(config.layers, 18);
  EXPECT_EQ(config.head_dim, 256);
  EXPECT_EQ(config.kv_heads, 1);
  EXPECT_EQ(config.sliding_window, 512);
  EXPECT_EQ(config.trained_context, 32768);
  for (int64_t layer = 0; layer < 18; ++layer) EXPECT_EQ(config.IsSliding(layer), layer % 6 != 5);
  EXPECT_FLOAT_EQ(config.rope.base, 1e6F);
  EXPECT_FLOAT_EQ(config.local_rope.base, 1e4F);
}

}  // namespace
}  // namespace ltri
