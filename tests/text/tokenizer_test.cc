#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "llama.h"

namespace ltri {
namespace {

// Vocabularies of many kinds come with the source of llama.cpp.
std::string VocabularyPath(const std::string& name) {
  return std::string(LTRI_TEST_VOCABULARIES) + "/ggml-vocab-" + name + ".gguf";
}

std::vector<TokenId> WholeText(const Tokenizer& tokenizer, const std::string& text, bool parse_special) {
  std::vector<TokenId> tokens(text.size() * 3 + 16);
  const int32_t count = llama_tokenize(tokenizer.vocab(), text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                                       static_cast<int32_t>(tokens.size()), true, parse_special);
  tokens.resize(static_cast<size_t>(std::max(count, 0)));
  return tokens;
}

// Words, numbers, code, blank lines, several scripts, and things that look like control tokens.
std::string MixedText(size_t bytes, unsigned seed) {
  static const char* const kParts[] = {"the",
                                       "It's",
                                       " quick",
                                       "  two",
                                       "\n",
                                       "\n\n",
                                       "\n\n\n",
                                       "    indented",
                                       "\t",
                                       "1234567",
                                       " 42",
                                       "don't",
                                       ".",
                                       ", ",
                                       "!!!",
                                       "\r\n",
                                       " \n ",
                                       "x",
                                       "Gr\xC3\xBC\xC3\x9F"
                                       "e",
                                       " \xD0\xBC\xD0\xB8\xD1\x80",
                                       "\xE4\xB8\xAD\xE6\x96\x87",
                                       "\xE3\x80\x82\n",
                                       "\xF0\x9F\x99\x82",
                                       "\xC2\xA0",
                                       "\xE2\x96\x81",
                                       "<s>",
                                       "<|im_end|>",
                                       "</s> ",
                                       " <pad>",
                                       "--------",
                                       "foo_bar(a, b)",
                                       "\xE3\x80\x80",
                                       "e\xCC\x81",
                                       "://a.b/?c=d&e"};
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < bytes) {
    text += kParts[random() % std::size(kParts)];
    if (random() % 2 == 0) text += " word another";
    if (random() % 5 == 0) text += "\n";
  }
  return text;
}

class TokenizerTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string path = VocabularyPath(GetParam());
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: no vocabulary " << path;
    auto loaded = Tokenizer::Load(path);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    tokenizer_ = *loaded;
  }

  std::shared_ptr<Tokenizer> tokenizer_;
};

TEST_P(TokenizerTest, LongTextEqualsWholeText) {
  const std::string text = MixedText(200000, 7);
  for (const bool parse_special : {false, true}) {
    const auto tokens = tokenizer_->Encode(text, true, parse_special);
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    EXPECT_TRUE(*tokens == WholeText(*tokenizer_, text, parse_special)) << "parse_special " << parse_special;
  }
}

TEST_P(TokenizerTest, HostileTextsDoNotCrash) {
  for (const std::string& unit :
       {std::string("a"), std::string(" "), std::string("!"), std::string("\n"), std::string("\xE4\xB8\xAD"),
        std::string(1, '\0'), std::string("1"), std::string("<"), std::string("\xE2\x96\x81")}) {
    std::string text;
    while (text.size() < 140000) text += unit;
    const auto tokens = tokenizer_->Encode(text, false, true);
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  }
}

TEST_P(TokenizerTest, DecodeGivesTheTextBack) {
  const std::string text =
      "It's 12 o'clock;\n\n  Gr\xC3\xBC\xC3\x9F"
      "e \xE4\xB8\xAD\xF0\x9F\x99\x82 x";
  const auto tokens = tokenizer_->Encode(text, true, false);
  ASSERT_TRUE(tokens.ok());
  std::string decoded = tokenizer_->Decode(*tokens);
  if (decoded.size() == text.size() + 1) decoded.erase(0, 1);  // SPM's space in front
  EXPECT_EQ(decoded, text);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, TokenizerTest,
                         ::testing::Values("gpt-2", "llama-bpe", "llama-spm", "phi-3", "qwen2", "falcon",
                                           "deepseek-llm", "starcoder", "gemma-4"),
                         [](const auto& vocabulary) {
                           std::string name = vocabulary.param;
                           std::erase(name, '-');
                           return name;
                         });

class LlamaTokenizerTest : public TokenizerTest {};

TEST_P(LlamaTokenizerTest, KnowsItsVocabulary) {
  EXPECT_EQ(tokenizer_->kind(), "SPM");
  EXPECT_EQ(tokenizer_->vocabulary(), 32000);
  EXPECT_EQ(tokenizer_->bos(), 1);
  EXPECT_EQ(tokenizer_->eos(), 2);
  EXPECT_TRUE(tokenizer_->adds_bos());
  EXPECT_TRUE(tokenizer_->IsEndOfGeneration(2));
  EXPECT_TRUE(tokenizer_->IsControl(1));
  EXPECT_EQ(tokenizer_->Piece(1), "");
  EXPECT_EQ(tokenizer_->Piece(1, true), "<s>");
}

TEST_P(LlamaTokenizerTest, IdsOutsideTheVocabularyAreHarmless) {
  for (const TokenId token : {-1, 32000, 1 << 30}) {
    EXPECT_EQ(tokenizer_->Piece(token), "");
    EXPECT_FALSE(tokenizer_->IsEndOfGeneration(token));
    EXPECT_FALSE(tokenizer_->IsControl(token));
  }
}

TEST_P(LlamaTokenizerTest, ControlTokensOnlyWhenAsked) {
  EXPECT_EQ(*tokenizer_->Encode("</s>", false, true), std::vector<TokenId>{2});
  EXPECT_GT(tokenizer_->Encode("</s>", false, false)->size(), 1U);
  EXPECT_TRUE(tokenizer_->Encode("", false, true)->empty());
  EXPECT_EQ(*tokenizer_->Encode("", true, true), std::vector<TokenId>{1});
}

TEST_P(LlamaTokenizerTest, RefusesTextThatIsNotUtf8) {
  const auto tokens = tokenizer_->Encode("good \xFF bad", true, false);
  ASSERT_FALSE(tokens.ok());
  EXPECT_EQ(tokens.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(tokens.error().message.find("offset 5"), std::string::npos) << tokens.error().message;
}

TEST_P(LlamaTokenizerTest, ManyThreadsAtOnce) {
  const std::string text = MixedText(100000, 3);
  const auto expected = *tokenizer_->Encode(text, true, false);
  std::vector<std::thread> threads;
  std::vector<int> equal(4, 0);
  for (size_t i = 0; i < equal.size(); ++i) {
    threads.emplace_back([&, i] { equal[i] = *tokenizer_->Encode(text, true, false) == expected ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 1));
}

INSTANTIATE_TEST_SUITE_P(Spm, LlamaTokenizerTest, ::testing::Values("llama-spm"));

TEST(TokenizerLoadTest, MissingFile) {
  const auto loaded = Tokenizer::Load("/nonexistent/model.gguf");
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kNotFound);
}

TEST(TokenizerLoadTest, NotAModel) {
  const std::string path = ::testing::TempDir() + "not_a_model.gguf";
  std::ofstream(path) << "this is no model file at all";
  const auto loaded = Tokenizer::Load(path);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(loaded.error().message.find(path), std::string::npos);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace ltri
