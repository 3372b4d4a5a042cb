#include "text/text_cuts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ltri {
namespace {

// The text with a bar at every safe cut.
std::string Marked(const TextCuts& cuts, const std::string& text) {
  std::string marked;
  for (size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && cuts.IsSafe(text, at)) marked += '|';
    marked += text[at];
  }
  return marked;
}

TextCuts Make(bool has_word_pattern, bool prefixes_space, const std::vector<std::string>& entries) {
  TextCuts cuts(has_word_pattern, prefixes_space);
  for (const std::string& entry : entries) cuts.Add(entry, false, false);
  return cuts;
}

TEST(TextCutsTest, NeverInsideAnEntryOrACharacter) {
  const TextCuts cuts = Make(false, false, {"ab", " c", "de f"});
  EXPECT_EQ(Marked(cuts, "ab c de fa"), "ab| c| |de f|a");
  EXPECT_EQ(Marked(cuts, "x\xC3\xA4\xC3\xA4y"), "x|\xC3\xA4|\xC3\xA4|y");
}

TEST(TextCutsTest, ASpaceInFrontMustNotJoin) {
  const TextCuts cuts = Make(false, true, {"ab", " c", " d"});
  EXPECT_EQ(Marked(cuts, "xc d e"), "xc| d| |e");
}

TEST(TextCutsTest, AWordPatternAllowsWordStartsOnly) {
  const TextCuts cuts = Make(true, false, {"ab", " c"});
  EXPECT_EQ(Marked(cuts, "a c  d 7 e.f\ng\n\nh\n i, j"), "a| c  d 7 e.f\n|g\n\nh\n i, j");
  EXPECT_EQ(Marked(cuts, "\xE4\xB8\xAD\n\xE6\x96\x87\xE3\x80\x82\n\xE6"),
            "\xE4\xB8\xAD\n|\xE6\x96\x87\xE3\x80\x82\n\xE6");
}

TEST(TextCutsTest, NotBesideSpecialEntries) {
  TextCuts cuts(false, false);
  cuts.Add("<s>", true, false);
  EXPECT_EQ(Marked(cuts, "a<s>b <c"), "a<s>b <|c");
  EXPECT_EQ(Marked(cuts, "a <s>  b"), "a <s> | |b");
}

TEST(TextCutsTest, NotInWhiteSpaceThatASpecialEntrySwallows) {
  TextCuts cuts(false, false);
  cuts.Add("<s>", true, true);
  EXPECT_EQ(Marked(cuts, "a  <s>\n\nb  c"), "a  <s>\n\nb| | |c");
}

TEST(TextCutsTest, FindsTheLastSafePlaceOrTheStartOfACharacter) {
  const TextCuts cuts = Make(false, false, {"aa", "\xA4\xC3"});
  bool safe = false;
  EXPECT_EQ(cuts.Find("aabaaaa", 5, &safe), 3U);
  EXPECT_TRUE(safe);
  EXPECT_EQ(cuts.Find("aaaa", 3, &safe), 3U);
  EXPECT_FALSE(safe);
  EXPECT_EQ(cuts.Find("\xC3\xA4\xC3\xA4\xC3\xA4", 3, &safe), 2U);
  EXPECT_FALSE(safe);
}

}  // namespace
}  // namespace ltri
