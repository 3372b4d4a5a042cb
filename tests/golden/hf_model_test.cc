// A real model as a folder: its weights unpacked to floats, its tokenizer as tokenizer.json.
#include <gtest/gtest.h>

#include <algorithm>

#include "ltri/session.h"
#include "support/temporary_folder.h"
#include "support/test_model.h"
#include "support/tiny_folder.h"
#include "support/tiny_session.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

std::vector<float> LogitsAfterChat(const std::string& path) {
  const auto model = Model::Load(path);
  EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
  if (!model.ok()) return {};
  const ChatMessage question = {"user", "What is the capital of France, and which river runs through it?"};
  const auto prompt = (*model)->FormatChat({&question, 1});
  EXPECT_TRUE(prompt.ok()) << (prompt.ok() ? "" : prompt.error().message);
  Session session = testing::MakeSession(*model, {});
  return testing::LogitsAfter(session, *(*model)->Tokenize(*prompt, true, true));
}

TEST(HfRealModelTest, AnswersAsTheGgufFileDoes) {
  const std::string gguf = TestModel("smollm2");
  if (gguf.empty()) GTEST_SKIP() << kNoTestModel;
  const ModelConfig config = LoadModelFile(gguf)->config;
  testing::TinyModelSpec spec;
  spec.layers = config.layers;
  spec.width = config.width;
  spec.heads = config.heads;
  spec.kv_heads = config.kv_heads;
  spec.head_dim = config.head_dim;
  spec.feed_forward = config.feed_forward;
  spec.vocabulary = config.vocabulary;
  spec.context = config.trained_context;
  spec.tied = true;
  testing::TinyFolder made = testing::MakeTinyFolder(spec, gguf);
  made.config["rope_theta"] = config.rope.base;
  made.config["rms_norm_eps"] = config.norm_epsilon;
  made.parts = 2;
  const TemporaryFolder folder;
  const std::string path = testing::WriteTinyFolder(made, folder.path(), "smollm2", gguf);
  const std::vector<float> expected = LogitsAfterChat(gguf);
  const std::vector<float> actual = LogitsAfterChat(path);
  ASSERT_EQ(actual.size(), expected.size());
  EXPECT_GT(testing::Cosine(expected, actual), 0.999);
  EXPECT_EQ(std::max_element(actual.begin(), actual.end()) - actual.begin(),
            std::max_element(expected.begin(), expected.end()) - expected.begin());
}

}  // namespace
}  // namespace ltri
