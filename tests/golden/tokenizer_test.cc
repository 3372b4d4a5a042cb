#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "llama.h"
#include "support/test_model.h"

namespace ltri {
namespace {

// English-like text of paragraphs, without a file.
std::string LongText(size_t bytes) {
  static const char* const kWords[] = {"the",     "river", "of",    "stone",    "was",
                                       "counted", "and",   "every", "merchant", "knew"};
  std::mt19937 random(1);
  std::string text;
  while (text.size() < bytes) {
    text += kWords[random() % std::size(kWords)];
    text += random() % 12 == 0 ? ".\n\n" : random() % 9 == 0 ? ", " : " ";
    if (random() % 40 == 0) text += std::to_string(random()) + " ";
  }
  return text;
}

class ModelTokenizerTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ModelTokenizerTest, ThreeMegabytesEqualTheWholeText) {
  const std::string path = TestModel(GetParam());
  if (path.empty()) GTEST_SKIP() << kNoTestModel;
  auto tokenizer = Tokenizer::Load(path);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const std::string text = LongText(3000000);
  const auto tokens = (*tokenizer)->Encode(text, true, false);
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  std::vector<TokenId> whole(text.size());
  const int32_t count = llama_tokenize((*tokenizer)->vocab(), text.data(), static_cast<int32_t>(text.size()),
                                       whole.data(), static_cast<int32_t>(whole.size()), true, false);
  whole.resize(static_cast<size_t>(std::max(count, 0)));
  EXPECT_TRUE(*tokens == whole);
  EXPECT_EQ((*tokenizer)->Decode(*tokens), text);
}

INSTANTIATE_TEST_SUITE_P(Models, ModelTokenizerTest, ::testing::Values("smollm2", "gemma3-270m"));

TEST(SmolTokenizerTest, KnowsItsVocabulary) {
  const std::string path = TestModel("smollm2");
  if (path.empty()) GTEST_SKIP() << kNoTestModel;
  auto loaded = Tokenizer::Load(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const Tokenizer& tokenizer = **loaded;
  EXPECT_EQ(tokenizer.kind(), "BPE (smollm)");
  EXPECT_EQ(tokenizer.vocabulary(), 49152);
  EXPECT_FALSE(tokenizer.adds_bos());
  EXPECT_TRUE(tokenizer.IsEndOfGeneration(tokenizer.eos()));
  EXPECT_EQ(tokenizer.Decode(*tokenizer.Encode("A needle: 7,301.", true, false)), "A needle: 7,301.");
}

}  // namespace
}  // namespace ltri
