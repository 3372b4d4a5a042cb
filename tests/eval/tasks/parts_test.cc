// What generators are made of: draws, sentences, token places.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "eval/tasks/draw.h"
#include "eval/tasks/names.h"
#include "eval/tasks/needle_hay.h"
#include "eval/tasks/sentences.h"
#include "eval/tasks/token_meter.h"

namespace ltri {
namespace {

TEST(DrawTest, TheSameEverywhere) {
  // MT19937-64 and FNV-1a are fixed by their definitions, so these hold on every platform.
  Random random = RandomOf(7, "ruler/vt", 4096, -1, 3);
  const std::vector<int64_t> first = {random.Below(1000), random.Below(1000), random.Below(1000)};
  EXPECT_EQ(first, (std::vector<int64_t>{666, 26, 134}));
  EXPECT_NE(RandomOf(7, "ruler/vt", 4096, -1, 4).Below(1 << 30), RandomOf(7, "ruler/vt", 4096, -1, 3).Below(1 << 30));
}

TEST(DrawTest, DistinctNumbersAndUuids) {
  Random random(1);
  std::set<int64_t> first;
  for (int i = 0; i < 50; ++i) {
    const std::vector<int64_t> drawn = DrawDistinct(random, 6, 6);
    EXPECT_EQ(std::set<int64_t>(drawn.begin(), drawn.end()).size(), 6U);
    first.insert(drawn.front());
  }
  EXPECT_EQ(first.size(), 6U);  // each may come first
  const std::string uuid = DrawUuid(random);
  EXPECT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
}

TEST(NamesTest, AreManyAndDistinct) {
  for (const std::string language : {"en", "zh"}) {
    const std::vector<std::string> names = PersonNames(language);
    EXPECT_GT(names.size(), 6000U);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    std::set<std::string> answers;
    for (const InventedFact& fact : InventedFacts(language)) {
      EXPECT_NE(fact.text.find(fact.answer), std::string::npos);
      EXPECT_NE(fact.format.find("________"), std::string::npos);
      answers.insert(fact.answer);
    }
    EXPECT_EQ(answers.size(), InventedFacts(language).size());
  }
}

TEST(SentencesTest, SplitAfterStopsButNotAbbreviations) {
  const auto sentences = SplitSentences("Mr. Brown left. “He is gone!” she said. J. Smith stayed? Yes. 12 men came.");
  EXPECT_EQ(sentences, (std::vector<std::string_view>{"Mr. Brown left.", "“He is gone!” she said.", "J. Smith stayed?",
                                                      "Yes.", "12 men came."}));
  EXPECT_EQ(SingleSpaces("a \n\n b\tc"), "a b c");
}

TEST(TokenMeterTest, PartsEndBetweenCharacters) {
  const ByteMeter meter;
  const Result<TokenizedText> text = TokenizedText::Create(meter, "红楼梦 is a book");
  ASSERT_TRUE(text.ok());
  std::string joined;
  for (int64_t i = 0; i < text->size(); ++i) joined += text->Part(i, i + 1);
  EXPECT_EQ(joined, "红楼梦 is a book");
  EXPECT_EQ(text->Part(0, 1).size() % 3, 0U);  // three bytes a character
}

TEST(TokenMeterTest, TokensWithinBytes) {
  const std::vector<size_t> ends = {2, 5, 9};
  EXPECT_EQ(TokensWithin(ends, {0, 2}), (TokenRange{0, 1}));
  EXPECT_EQ(TokensWithin(ends, {1, 3}), (TokenRange{0, 2}));
  EXPECT_EQ(TokensWithin(ends, {5, 9}), (TokenRange{2, 3}));
}

TEST(NeedleHayTest, NeedlesLieWhereTheyShould) {
  auto meter = std::make_shared<ByteMeter>();
  NeedleHay hay(meter, {std::string(400, 'a'), std::string(400, 'a')});
  const auto places = [&](std::vector<HiddenNeedle> needles) {
    Random random(1);
    const Result<PromptText> text = hay.Hide(needles, 1000 + 2 * static_cast<int64_t>(needles.size()), random);
    std::vector<double> shares;
    if (!text.ok()) return shares;
    for (const ByteRange& mark : text->evidence()) {
      shares.push_back(static_cast<double>(mark.begin) / static_cast<double>(text->text().size()));
    }
    return shares;
  };
  const PromptText needle = PromptText("\n").Mark("needle").Add("\n");
  const std::vector<double> spread = places({{needle, 0.0}, {needle, 0.5}, {needle, 1.0}});
  ASSERT_EQ(spread.size(), 3U);
  EXPECT_NEAR(spread[0], 0.0, 0.02);
  EXPECT_NEAR(spread[1], 0.5, 0.02);
  EXPECT_NEAR(spread[2], 1.0, 0.02);
  // A chain: each a tenth behind the one before, and none beyond the end.
  const double last = HiddenNeedle::kAfterTheLast;
  const std::vector<double> chain = places({{needle, 0.85}, {needle, last, 0.1}, {needle, last, 0.1}});
  EXPECT_NEAR(chain[1] - chain[0], 0.1, 0.02);
  EXPECT_NEAR(chain[2], 1.0, 0.02);
  Random random(1);
  EXPECT_FALSE(hay.Hide({{needle, 0.5}}, 1, random).ok());
}

}  // namespace
}  // namespace ltri
