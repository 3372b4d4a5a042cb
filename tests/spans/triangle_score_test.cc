#include "spans/triangle_score.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "spans/test_band.h"

namespace ltri {
namespace {

constexpr int64_t kFirst = 5;

void ExpectSameRow(const TriangleScore& a, const TriangleScore& b, int64_t y) {
  for (int64_t m = 0; m < a.width(); ++m) ASSERT_EQ(a.Row(y)[m], b.Row(y)[m]) << "row " << y << " m " << m;
}

RC_GTEST_PROP(TriangleScore, RecurrenceEqualsDefinition, (uint32_t seed)) {
  const auto width = *rc::gen::inRange<int64_t>(1, 24);
  const auto rows = *rc::gen::inRange<int64_t>(1, 60);
  const double kappa = *rc::gen::inRange(0, 4);
  const Band band = RandomBand(rows, width, seed);
  const auto baselines = SlowBaselines(band, kappa);
  const TriangleScore scores = Scored(band, kFirst, kappa);
  for (int64_t end = 1; end <= rows; ++end) {
    for (int64_t begin = std::max<int64_t>(0, end - width); begin < end; ++begin) {
      const double expected = SlowScore(band, baselines, begin, end);
      RC_ASSERT(std::abs(static_cast<double>(ScoreOf(scores, kFirst + begin, kFirst + end)) - expected) <
                1e-4 * (1 + std::abs(expected)));
    }
  }
}

TEST(TriangleScore, BaselineIsKappaTimesTheMeanOfEarlierRows) {
  const Band band = RandomBand(300, 16, 7);
  const auto baselines = SlowBaselines(band, 2.0);
  TriangleScore scores(kFirst, 16, 2.0, 32);
  EXPECT_EQ(scores.theta(), 0);
  for (size_t y = 0; y < band.size(); ++y) {
    ASSERT_NEAR(scores.theta(), baselines[y], 1e-6) << "row " << y;
    scores.Push(band[y]);
  }
}

TEST(TriangleScore, CellsOfSinksAreIgnored) {
  const Band band = RandomBand(40, 16, 8);
  Band dirty = band;
  for (size_t y = 0; y < 16; ++y) {
    for (size_t lag = y + 1; lag <= 16; ++lag) dirty[y][lag - 1] = std::numeric_limits<float>::quiet_NaN();
  }
  const TriangleScore clean = Scored(band, kFirst, 2.0);
  const TriangleScore other = Scored(dirty, kFirst, 2.0);
  EXPECT_EQ(clean.theta(), other.theta());
  for (int64_t y = kFirst; y < clean.next(); ++y) ExpectSameRow(clean, other, y);
}

TEST(TriangleScore, RowThatIsNoProbabilityIsNeutral) {
  Band band = RandomBand(40, 16, 9);
  band[20][3] = std::numeric_limits<float>::infinity();
  TriangleScore scores(kFirst, 16, 2.0, 64);
  for (size_t y = 0; y < 20; ++y) scores.Push(band[y]);
  const double before = scores.theta();
  scores.Push(band[20]);
  EXPECT_DOUBLE_EQ(scores.theta(), before);
  EXPECT_EQ(ScoreOf(scores, kFirst + 15, kFirst + 21), ScoreOf(scores, kFirst + 15, kFirst + 20));
  scores.Push(band[21]);
  EXPECT_TRUE(std::isfinite(ScoreOf(scores, kFirst + 10, kFirst + 22)));
}

TEST(TriangleScore, RowsArePaddedForVectorLoops) {
  const TriangleScore scores = Scored(RandomBand(30, 19, 3), kFirst, 2.0);
  for (int64_t i = 0; i < TriangleScore::kPadding; ++i) {
    EXPECT_EQ(scores.Row(scores.next() - 1)[19 + i], -std::numeric_limits<float>::infinity());
  }
}

RC_GTEST_PROP(TriangleScore, TruncateIsExactWithinTheRing, (uint32_t seed)) {
  const int64_t rows = 200;
  const int64_t kept = 40;
  const auto back = *rc::gen::inRange<int64_t>(0, kept - 1);
  const Band band = RandomBand(rows, 12, seed);
  TriangleScore cut(kFirst, 12, 2.0, kept);
  for (const auto& row : band) cut.Push(row);
  const TriangleScore whole = cut;
  cut.Truncate(kFirst + rows - back, std::max(cut.oldest(), kFirst + rows - back - 4));
  for (int64_t y = rows - back; y < rows; ++y) cut.Push(band[static_cast<size_t>(y)]);
  RC_ASSERT(cut.theta() == whole.theta());
  for (int64_t y = kFirst + rows - back - 1; y < kFirst + rows; ++y) {
    for (int64_t m = 0; m < 12; ++m) RC_ASSERT(cut.Row(y)[m] == whole.Row(y)[m]);
  }
}

TEST(TriangleScore, TruncateBeyondTheRingKeepsTheMeanAndFillsNeutralRows) {
  const Band band = RandomBand(200, 12, 4);
  TriangleScore scores(kFirst, 12, 2.0, 40);
  for (const auto& row : band) scores.Push(row);
  const double theta = scores.theta();
  scores.Truncate(kFirst + 100, kFirst + 90);
  EXPECT_EQ(scores.next(), kFirst + 100);
  EXPECT_EQ(scores.oldest(), kFirst + 90);
  EXPECT_NEAR(scores.theta(), theta, 1e-9);
  EXPECT_EQ(ScoreOf(scores, kFirst + 90, kFirst + 100), 0);

  scores.Truncate(kFirst + 95, kFirst + 90);  // within the neutral rows
  EXPECT_NEAR(scores.theta(), theta, 1e-9);
  const auto& row = band[95];
  scores.Push(row);
  EXPECT_NEAR(ScoreOf(scores, kFirst + 93, kFirst + 96), static_cast<double>(row[0] + row[1]) - 2 * theta, 1e-5);
}

TEST(TriangleScore, TruncateWithSomeRowsLeftKeepsThemAndFillsTheRest) {
  const Band band = RandomBand(100, 12, 5);
  TriangleScore scores(kFirst, 12, 2.0, 40);
  for (const auto& row : band) scores.Push(row);
  const TriangleScore whole = scores;
  scores.Truncate(kFirst + 70, kFirst + 50);  // rows 60..99 were kept
  EXPECT_EQ(scores.oldest(), kFirst + 50);
  EXPECT_EQ(ScoreOf(scores, kFirst + 50, kFirst + 60), 0);
  for (int64_t y = kFirst + 60; y < kFirst + 70; ++y) ExpectSameRow(scores, whole, y);
}

TEST(TriangleScore, TruncateToTheStartForgetsEverything) {
  const Band band = RandomBand(100, 12, 6);
  TriangleScore scores(kFirst, 12, 2.0, 40);
  for (const auto& row : band) scores.Push(row);
  scores.Truncate(kFirst, kFirst);
  EXPECT_EQ(scores.theta(), 0);
  TriangleScore fresh(kFirst, 12, 2.0, 40);
  for (const auto& row : band) {
    scores.Push(row);
    fresh.Push(row);
    ExpectSameRow(scores, fresh, fresh.next() - 1);
  }
}

TEST(TriangleScore, LongStreamDoesNotDrift) {
  constexpr int64_t kRows = 200000;
  constexpr int64_t kWidth = 32;
  const Band band = RandomBand(1000, kWidth, 1);
  TriangleScore scores(kFirst, kWidth, 2.0, 64);
  long double sum = 0;
  int64_t cells = 0;
  std::vector<double> last_baselines;
  for (int64_t y = 0; y < kRows; ++y) {
    const auto& row = band[static_cast<size_t>(y % 1000)];
    if (y >= kRows - 1000) last_baselines.push_back(static_cast<double>(2 * sum / static_cast<long double>(cells)));
    scores.Push(row);
    for (int64_t lag = 1; lag <= std::min(y, kWidth); ++lag) {
      sum += static_cast<long double>(row[static_cast<size_t>(lag - 1)]);
      ++cells;
    }
  }
  EXPECT_NEAR(scores.theta(), static_cast<double>(2 * sum / static_cast<long double>(cells)), 1e-6);
  for (int64_t length = 1; length <= kWidth; ++length) {  // 1000 divides kRows: the last 1000 rows are `band`
    const double expected = SlowScore(band, last_baselines, 1000 - length, 1000);
    EXPECT_NEAR(ScoreOf(scores, scores.next() - length, scores.next()), expected, 1e-3 + 1e-5 * std::abs(expected));
  }
}

}  // namespace
}  // namespace ltri
