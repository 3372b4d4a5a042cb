#include "bench/rounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ltri {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

RoundRules NoPause() {
  RoundRules rules;
  rules.pause = 0;
  return rules;
}

TEST(RoundsTest, MedianOfWhatIsThere) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median({kNone, 7, kNone}), 7);
  EXPECT_EQ(Median({kNone}), 0);
  EXPECT_EQ(Median({}), 0);
  EXPECT_EQ(CountNumbers({kNone, 7, kNone}), 1U);
}

TEST(RoundsTest, RatioIsTakenRoundByRound) {
  // Medians alone would say 20 / 10; the machine was twice as slow in the second round for both.
  EXPECT_EQ(MedianRatio({30, 15, 20}, {10, 5, 10}), 3);
  EXPECT_EQ(MedianRatio({30, 15, kNone}, {kNone, 5, 10}), 3);
  EXPECT_TRUE(std::isnan(MedianRatio({1, 2}, {})));
  EXPECT_TRUE(std::isnan(MedianRatio({kNone}, {1})));
}

TEST(RoundsTest, EachRoundBeginsWithTheNext) {
  RoundRules rules = NoPause();
  rules.rounds = 4;
  std::string order;
  const auto seconds = PlayRounds(3, rules, [&](size_t i) -> Result<double> {
    order += static_cast<char>('a' + i);
    return static_cast<double>(i);
  });
  ASSERT_TRUE(seconds.ok());
  EXPECT_EQ(order, "abcbcacababc");
  ASSERT_EQ(seconds->size(), 3U);
  EXPECT_EQ((*seconds)[2], std::vector<double>(4, 2.0));
}

TEST(RoundsTest, WhoeverIsSlowSitsOut) {
  RoundRules rules = NoPause();
  rules.long_turn = 10;
  rules.long_rounds = 2;
  const auto seconds = PlayRounds(2, rules, [](size_t i) -> Result<double> { return i == 1 ? 11.0 : 1.0; });
  ASSERT_TRUE(seconds.ok());
  EXPECT_EQ(CountNumbers((*seconds)[0]), 5U);
  EXPECT_EQ(CountNumbers((*seconds)[1]), 2U);
  EXPECT_TRUE(std::isnan((*seconds)[1][2]));
}

TEST(RoundsTest, AFailureEndsIt) {
  int turns = 0;
  const auto seconds = PlayRounds(2, NoPause(), [&](size_t) -> Result<double> {
    if (++turns == 3) return Error{ErrorCode::kCancelled, "enough"};
    return 1.0;
  });
  ASSERT_FALSE(seconds.ok());
  EXPECT_EQ(seconds.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(turns, 3);
}

}  // namespace
}  // namespace ltri
