#include "text/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace ltri {
namespace {

TEST(Utf8Test, AcceptsEveryLengthOfCharacter) {
  EXPECT_FALSE(FindInvalidUtf8(""));
  EXPECT_FALSE(FindInvalidUtf8("a\xC3\xA4\xE4\xB8\xAD\xF0\x9F\x99\x82\xF4\x8F\xBF\xBF"));
}

TEST(Utf8Test, NamesTheByteThatIsWrong) {
  EXPECT_EQ(FindInvalidUtf8("ab\xFFz"), 2U);
  EXPECT_EQ(FindInvalidUtf8("abc\x80"), 3U);           // a continuation by itself
  EXPECT_EQ(FindInvalidUtf8("a\xC0\xAF"), 1U);         // overlong
  EXPECT_EQ(FindInvalidUtf8("\xE0\x80\xAF"), 0U);      // overlong
  EXPECT_EQ(FindInvalidUtf8("\xED\xA0\x80"), 0U);      // surrogate
  EXPECT_EQ(FindInvalidUtf8("\xF4\x90\x80\x80"), 0U);  // above U+10FFFF
  EXPECT_EQ(FindInvalidUtf8("abc\xE4\xB8"), 3U);       // ends too early
}

TEST(Utf8StreamTest, HoldsHalfCharactersBack) {
  const std::string text = "a\xC3\xA4\xE4\xB8\xAD\xF0\x9F\x99\x82z";
  Utf8Stream stream;
  std::string joined;
  for (const char byte : text) {
    const std::string whole = stream.Push(std::string_view(&byte, 1));
    EXPECT_FALSE(FindInvalidUtf8(whole));
    joined += whole;
  }
  EXPECT_EQ(joined + stream.Finish(), text);
}

TEST(Utf8StreamTest, ReplacesWhatCanNeverBecomeACharacter) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("a\xFF\xC3"), "a\xEF\xBF\xBD");
  EXPECT_EQ(stream.Push("b"),
            "\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(stream.Push("\xF0\x9F"), "");
  EXPECT_EQ(stream.Finish(), "\xEF\xBF\xBD");
  EXPECT_EQ(stream.Finish(), "");
}

}  // namespace
}  // namespace ltri
