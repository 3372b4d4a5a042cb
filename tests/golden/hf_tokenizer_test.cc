// Tokenizers of real models, written as tokenizer.json and read from there.
#include "support/hf_tokenizer.h"

#include <gtest/gtest.h>

#include "support/test_model.h"

namespace ltri {
namespace {

class HfTokenizerTest : public ::testing::TestWithParam<const char*> {};

TEST_P(HfTokenizerTest, GivesTheTokensOfTheGgufFile) {
  const std::string path = TestModel(GetParam());
  if (path.empty()) GTEST_SKIP() << kNoTestModel;
  const auto expected = Tokenizer::Load(path);
  ASSERT_TRUE(expected.ok()) << expected.error().message;
  const auto actual = testing::TokenizerByFolder(path, /*merges_as_pairs=*/true);
  ASSERT_NE(actual, nullptr);
  testing::ExpectSameTokenizer(**expected, *actual);
}

INSTANTIATE_TEST_SUITE_P(Models, HfTokenizerTest, ::testing::Values("smollm2", "gemma3-270m"));

}  // namespace
}  // namespace ltri
