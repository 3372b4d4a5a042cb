// Text files in pieces, and the fingerprint of models.
#include "library/source_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "engine/engine.h"
#include "library/fingerprint.h"
#include "library/token_bytes.h"
#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SourceTextTest : public ::testing::Test {
 protected:
  SourceText Open(const std::string& text) const {
    WriteFile(path_, text);
    auto source = SourceText::Open(FileSystem::Posix(), {.path = path_});
    EXPECT_TRUE(source.ok()) << source.error().message;
    return std::move(*source);
  }
  const Tokenizer& TokenizerOf(const std::string& model) const { return TinyModel(model)->engine().tokenizer(); }

  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "text";
  const Tokenizer& tokenizer_ = TokenizerOf("llama");
};

TEST_F(SourceTextTest, PiecesTokeniseAsTheWhole) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "Zeile " + std::to_string(i) + ": größer als the other one, the end.\n";
  for (const char* model : {"llama", "gemma3"}) {
    const Tokenizer& tokenizer = TokenizerOf(model);
    SourceText source = Open(text);
    std::vector<TokenId> tokens;
    std::string together;
    int pieces = 0;
    while (true) {
      const std::string piece = *source.Next(tokenizer, 100, true);
      if (piece.empty()) break;
      const auto more = together.empty() ? tokenizer.Encode(piece, true, false) : tokenizer.EncodeNext(piece, false);
      const std::vector<uint32_t> shares = ShareText(tokenizer, *more, piece);
      EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), size_t{0}), piece.size());
      tokens.insert(tokens.end(), more->begin(), more->end());
      together += piece;
      ++pieces;
    }
    EXPECT_EQ(together, text);
    EXPECT_GT(pieces, 50);
    EXPECT_EQ(tokens, *tokenizer.Encode(text, true, false)) << model;
  }
}

TEST_F(SourceTextTest, AFileThatGrowsGivesWholeLines) {
  SourceText source = Open("one\ntw");
  EXPECT_EQ(*source.Next(tokenizer_, 100, false), "one\n");
  EXPECT_EQ(*source.Next(tokenizer_, 100, false), "");
  EXPECT_EQ(*source.Left(), 2);
  std::ofstream(path_, std::ios::app) << "o\nthr\xC3";
  EXPECT_EQ(*source.Next(tokenizer_, 100, false), "two\n");
  std::ofstream(path_, std::ios::app) << "\xA9";
  EXPECT_EQ(*source.Next(tokenizer_, 100, false), "");
  EXPECT_EQ(*source.Next(tokenizer_, 100, true), "thr\xC3\xA9");
  const Source read = source.source();
  EXPECT_EQ(read.bytes, 13);
  // What was read is known again, and nothing else is.
  EXPECT_TRUE(SourceText::Open(FileSystem::Posix(), read).ok());
  WriteFile(path_, "one\ntwo\nthree, no longer the same");
  EXPECT_THAT(SourceText::Open(FileSystem::Posix(), read).error().message, HasSubstr("its first 13 bytes are not"));
  WriteFile(path_, "one\n");
  EXPECT_FALSE(SourceText::Open(FileSystem::Posix(), read).ok());
}

TEST_F(SourceTextTest, LongTextsAndWhatIsNotUtf8) {
  // Longer than what is read at once, of characters of three bytes, without any place to cut.
  std::string text;
  while (text.size() < 2500000) text += "\xE2\x82\xAC";
  SourceText source = Open(text);
  std::string together;
  while (true) {
    const auto piece = source.Next(tokenizer_, 1000, true);
    ASSERT_TRUE(piece.ok()) << piece.error().message;
    if (piece->empty()) break;
    together += *piece;
  }
  EXPECT_EQ(together, text);
  for (const char* bad : {"ab\xFFzz", "ab\xC3"}) {
    SourceText damaged = Open(std::string("\xEF\xBB\xBF") + bad);
    EXPECT_THAT(damaged.Next(tokenizer_, 100, true).error().message, HasSubstr("byte 5 is 0x"));
  }
}

TEST(TokenBytesTest, KnowsWhereTokensBegin) {
  TokenBytes bytes(10, 100);
  const std::vector<uint32_t> lengths = {3, 0, 5};
  bytes.Append(lengths);
  const auto at = [&] {
    return std::vector<int64_t>{bytes.At(0), bytes.At(10), bytes.At(11), bytes.At(13), bytes.At(99)};
  };
  EXPECT_THAT(at(), ElementsAre(100, 100, 103, 108, 108));
  bytes.Forget(12);
  EXPECT_THAT(at(), ElementsAre(103, 103, 103, 108, 108));
}

TEST(FingerprintTest, BelongsToTheContentsNotToThePlace) {
  const TemporaryFolder folder;
  TinyModelSpec spec = TinySpec("llama");
  const std::string path = WriteTinyGguf(spec, folder.path());
  const std::string bytes = ReadFile(path);
  const uint64_t fingerprint = *ModelFingerprint(path);
  WriteFile(folder / "copy.gguf", bytes);
  EXPECT_EQ(*ModelFingerprint(folder / "copy.gguf"), fingerprint);
  spec.seed = 99;
  spec.name = "other";
  EXPECT_NE(*ModelFingerprint(WriteTinyGguf(spec, folder.path())), fingerprint);
  for (const size_t byte : {bytes.size() - 40, bytes.size() / 2}) {
    std::string changed = bytes;
    changed[byte] = static_cast<char>(changed[byte] ^ 1);
    WriteFile(folder / "changed.gguf", changed);
    EXPECT_NE(*ModelFingerprint(folder / "changed.gguf"), fingerprint) << byte;
  }
  EXPECT_FALSE(ModelFingerprint(folder / "missing.gguf").ok());
}

}  // namespace
}  // namespace ltri
