#include "spans/partition.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "spans/nms.h"
#include "spans/test_band.h"

namespace ltri {
namespace {

constexpr int64_t kFirst = 3;

double Total(const TriangleScore& scores, int64_t begin, const std::vector<int64_t>& ends) {
  double total = 0;
  for (const int64_t end : ends) {
    total += static_cast<double>(ScoreOf(scores, begin, end));
    begin = end;
  }
  return total;
}

// Tries every partition of [begin, end).
double BestByTrying(const TriangleScore& scores, int64_t begin, int64_t end, int64_t min_span) {
  if (begin == end) return 0;
  double best = -std::numeric_limits<double>::infinity();
  for (int64_t length = min_span; length <= std::min(scores.width(), end - begin); ++length) {
    best = std::max(best, static_cast<double>(ScoreOf(scores, begin, begin + length)) +
                              BestByTrying(scores, begin + length, end, min_span));
  }
  return best;
}

RC_GTEST_PROP(Partition, TotalIsTheBestOfAllPartitions, (uint32_t seed)) {
  const auto min_span = *rc::gen::inRange<int64_t>(1, 4);
  const auto width = *rc::gen::inRange<int64_t>(2 * min_span, 10);
  const auto rows = *rc::gen::inRange<int64_t>(min_span, 16);
  const TriangleScore scores = Scored(RandomBand(rows, width, seed), kFirst, 2.0);
  const int64_t begin = kFirst + *rc::gen::inRange<int64_t>(0, rows - min_span + 1);
  const int64_t end = kFirst + rows;
  std::vector<float> best;
  std::vector<int64_t> ends;
  const double total = static_cast<double>(BestPartition(scores, begin, end, min_span, &best, &ends));
  RC_ASSERT(ends.back() == end);
  RC_ASSERT(std::abs(total - Total(scores, begin, ends)) < 1e-4);
  RC_ASSERT(std::abs(total - BestByTrying(scores, begin, end, min_span)) < 1e-4);
}

RC_GTEST_PROP(Partition, IsNeverWorseThanNms, (uint32_t seed, bool length_normalised)) {
  const auto width = *rc::gen::inRange<int64_t>(8, 40);
  const auto rows = *rc::gen::inRange<int64_t>(20, 150);
  const TriangleScore scores = Scored(RandomBand(rows, width, seed), kFirst, 2.0);
  std::vector<float> best;
  std::vector<int64_t> ends;
  const double total = static_cast<double>(BestPartition(scores, kFirst, kFirst + rows, 1, &best, &ends));
  const auto accepted = SuppressOverlaps(FindPeaks(scores, kFirst, kFirst + rows, 4, length_normalised));
  const auto greedy = FillGaps(accepted, kFirst, kFirst + rows, 4, width);
  RC_ASSERT(total >= Total(scores, kFirst, greedy) - 1e-3);
}

TEST(Partition, StopsAtTheLastBorderThatLengthsCanReach) {
  const TriangleScore scores = Scored(RandomBand(23, 8, 1), kFirst, 2.0);
  std::vector<float> best;
  std::vector<int64_t> ends;
  BestPartition(scores, kFirst, kFirst + 23, 8, &best, &ends);
  EXPECT_EQ(ends, (std::vector<int64_t>{kFirst + 8, kFirst + 16}));
  EXPECT_EQ(BestPartition(scores, kFirst, kFirst + 5, 8, &best, &ends), 0);
  EXPECT_TRUE(ends.empty());
}

TEST(Partition, NothingToGainMakesTheLongestSpans) {
  const TriangleScore scores = Scored(Band(64, std::vector<float>(16, 0.0F)), kFirst, 2.0);
  std::vector<float> best;
  std::vector<int64_t> ends;
  BestPartition(scores, kFirst, kFirst + 64, 4, &best, &ends);
  EXPECT_EQ(ends, (std::vector<int64_t>{kFirst + 16, kFirst + 32, kFirst + 48, kFirst + 64}));
}

}  // namespace
}  // namespace ltri
