#include "weights/hf/hf_vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/hf_tokenizer.h"
#include "support/temporary_folder.h"

namespace ltri {
namespace {

using nlohmann::json;

std::string VocabularyPath(const std::string& name) {
  return std::string(LTRI_TEST_VOCABULARIES) + "/ggml-vocab-" + name + ".gguf";
}

class HfVocabularyTest : public ::testing::TestWithParam<const char*> {};

TEST_P(HfVocabularyTest, GivesTheTokensOfTheGgufFile) {
  const std::string path = VocabularyPath(GetParam());
  const auto expected = Tokenizer::Load(path);
  ASSERT_TRUE(expected.ok()) << expected.error().message;
  const auto actual = testing::TokenizerByFolder(path, /*merges_as_pairs=*/false);
  ASSERT_NE(actual, nullptr);
  testing::ExpectSameTokenizer(**expected, *actual);
}

INSTANTIATE_TEST_SUITE_P(All, HfVocabularyTest, ::testing::Values("llama-spm", "phi-3", "llama-bpe", "qwen2", "gpt-2"),
                         [](const auto& name) {
                           std::string plain = name.param;
                           std::replace(plain.begin(), plain.end(), '-', '_');
                           return plain;
                         });

// A byte-level tokenizer of a few tokens.
json SmallTokenizer() {
  const json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
  return {{"model", {{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}}}, {"merges", {"a b"}}}},
          {"added_tokens", {{{"id", 3}, {"content", "<s>"}, {"special", true}}}},
          {"pre_tokenizer", bytes}};
}

class HfVocabularyFilesTest : public ::testing::Test {
 protected:
  Status Add(int64_t rows = 5) {
    WriteFile(folder_ / "tokenizer.json", tokenizer_.dump());
    out_ = GgufWriter();
    out_.SetText("general.architecture", "llama");
    return AddHfVocabulary(folder_.path(), config_, rows, out_);
  }
  std::shared_ptr<Tokenizer> Made() {
    const Status status = Add();
    EXPECT_TRUE(status.ok()) << status.error().message;
    auto tokenizer = Tokenizer::Parse(out_.Finish(), "small");
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    return *tokenizer;
  }
  void ExpectError(ErrorCode code, const std::vector<std::string>& parts, int64_t rows = 5) {
    const Status status = Add(rows);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, code) << status.error().message;
    for (const std::string& part : parts) {
      EXPECT_NE(status.error().message.find(part), std::string::npos) << part << " in " << status.error().message;
    }
    tokenizer_ = SmallTokenizer();
  }

  TemporaryFolder folder_;
  json tokenizer_ = SmallTokenizer();
  json config_ = json::object();
  GgufWriter out_;
  std::vector<std::byte> header_;
};

TEST_F(HfVocabularyFilesTest, RowsWithoutTokensAreUnused) {
  const auto tokenizer = Made();
  EXPECT_EQ(tokenizer->vocabulary(), 5);
  EXPECT_EQ(*tokenizer->Encode("abb", true, false), (std::vector<TokenId>{2, 1}));
  EXPECT_FALSE(tokenizer->adds_bos());
}

TEST_F(HfVocabularyFilesTest, ATextWithAZeroByteIsNoToken) {
  tokenizer_["added_tokens"][0]["content"] = std::string("ab\0<s>", 6);
  const auto tokenizer = Made();
  EXPECT_FALSE(tokenizer->IsControl(3));
  EXPECT_EQ(*tokenizer->Encode("ab", true, true), (std::vector<TokenId>{2}));
}

TEST_F(HfVocabularyFilesTest, SpecialTokensComeFromAllFiles) {
  tokenizer_["post_processor"] = {{"type", "TemplateProcessing"},
                                  {"single", {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}}};
  WriteFile(folder_ / "tokenizer_config.json", R"({"bos_token": {"content": "<s>"}, "add_bos_token": false})");
  WriteFile(folder_ / "generation_config.json", R"({"eos_token_id": [1, 0, 99]})");
  WriteFile(folder_ / "chat_template.jinja", "{{ messages[0].content }}");
  config_["eos_token_id"] = 0;
  const auto tokenizer = Made();
  EXPECT_EQ(tokenizer->bos(), 3);
  EXPECT_TRUE(tokenizer->adds_bos());
  EXPECT_EQ(tokenizer->eos(), 1);
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(1));
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(0));
  EXPECT_FALSE(tokenizer->IsEndOfGeneration(2));
  const auto values = GgufFile::Parse(header_ = out_.Finish(), "values", nullptr);
  EXPECT_EQ(*values->Text("tokenizer.chat_template"), "{{ messages[0].content }}");
}

TEST_F(HfVocabularyFilesTest, WhatIsNotKnownIsAnErrorThatSaysWhatWasFound) {
  constexpr ErrorCode kCorrupt = ErrorCode::kCorrupt;
  constexpr ErrorCode kUnsupported = ErrorCode::kUnsupported;
  tokenizer_["model"]["type"] = "Unigram";
  ExpectError(kUnsupported, {"tokenizer.json", "model.type is \"Unigram\"", "BPE"});
  tokenizer_["pre_tokenizer"] = {{"type", "Sequence"},
                                 {"pretokenizers",
                                  {{{"type", "Split"}, {"pattern", {{"Regex", "[a-z]+"}}}, {"behavior", "Isolated"}},
                                   {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  ExpectError(kUnsupported, {"pre_tokenizer", "[a-z]+", "convert the model to GGUF"});
  tokenizer_["normalizer"] = {{"type", "Lowercase"}};
  ExpectError(kUnsupported, {"normalizer", "Lowercase"});
  tokenizer_["model"]["vocab"]["c"] = 7;
  ExpectError(kCorrupt, {"model.vocab has 7 for \"c\"", "5 rows"});
  tokenizer_["model"]["vocab"]["c"] = 2;
  ExpectError(kCorrupt, {"model.vocab has 2 for both"});
  tokenizer_["model"]["merges"] = {3};
  ExpectError(kCorrupt, {"model.merges has 3"});
  tokenizer_["added_tokens"][0]["content"] = "ab";
  ExpectError(kCorrupt, {"tokens 2 and 3 are both \"ab\""});
  tokenizer_["added_tokens"][0].erase("id");
  ExpectError(kCorrupt, {"added_tokens has", "expected id and content"});
  ExpectError(kUnsupported, {"1099511627776 rows"}, int64_t{1} << 40);
}

// As a training of byte-fallback BPE would leave it: one pair for each token, though others would do.
TEST_F(HfVocabularyFilesTest, CharacterMergesThatAreNotSentencePiecesAreRefused) {
  tokenizer_ = {{"model",
                 {{"type", "BPE"},
                  {"byte_fallback", true},
                  {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}, {"ba", 3}, {"aba", 4}}},
                  {"merges", {"a b", "b a", "ab a"}}}}};
  ExpectError(ErrorCode::kUnsupported, {"3 of the 4 pairs", "SentencePiece"});
}

}  // namespace
}  // namespace ltri
