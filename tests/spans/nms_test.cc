#include "spans/nms.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "spans/test_band.h"

namespace ltri {
namespace {

constexpr int64_t kFirst = 3;

RC_GTEST_PROP(Nms, PeaksAreTheLocalMaximaOfTheDefinition, (uint32_t seed, bool length_normalised)) {
  const auto width = *rc::gen::inRange<int64_t>(2, 20);
  const auto rows = *rc::gen::inRange<int64_t>(2, 50);
  const auto min_span = *rc::gen::inRange<int64_t>(1, width + 1);
  const TriangleScore scores = Scored(RandomBand(rows, width, seed), kFirst, 2.0);
  const int64_t begin = kFirst + *rc::gen::inRange<int64_t>(0, rows);
  const int64_t end = kFirst + rows;
  const auto allowed = [&](int64_t x, int64_t y) {
    return x >= begin && y <= end && y - x >= min_span && y - x <= width;
  };
  const auto rank = [&](int64_t x, int64_t y) {
    return ScoreOf(scores, x, y) * (length_normalised ? 1.0F / static_cast<float>(y - x) : 1.0F);
  };
  std::vector<std::pair<int64_t, int64_t>> expected;
  for (int64_t x = begin; x < end; ++x) {
    for (int64_t y = x + 1; y <= end; ++y) {
      if (!allowed(x, y) || !(rank(x, y) > 0)) continue;
      bool peak = true;
      for (int64_t i = x - 1; i <= x + 1; ++i) {
        for (int64_t j = y - 1; j <= y + 1; ++j) peak = peak && (!allowed(i, j) || rank(x, y) >= rank(i, j));
      }
      if (peak) expected.emplace_back(x, y);
    }
  }
  std::vector<std::pair<int64_t, int64_t>> found;
  for (const auto& peak : FindPeaks(scores, begin, end, min_span, length_normalised)) {
    found.emplace_back(peak.begin, peak.end);
  }
  std::sort(found.begin(), found.end());
  RC_ASSERT(found == expected);
}

TEST(Nms, BestGoesFirstAndOverlapsAreSuppressed) {
  const auto accepted = SuppressOverlaps({{0, 10, 1.0F}, {8, 20, 5.0F}, {20, 25, 2.0F}, {18, 22, 3.0F}, {0, 8, 0.5F}});
  ASSERT_EQ(accepted.size(), 3U);
  EXPECT_EQ(accepted[0].end, 8);
  EXPECT_EQ(accepted[1].begin, 8);
  EXPECT_EQ(accepted[2].begin, 20);
}

TEST(Nms, EqualRanksGoToTheEarlier) {
  const auto accepted = SuppressOverlaps({{4, 12, 1.0F}, {0, 8, 1.0F}});
  ASSERT_EQ(accepted.size(), 1U);
  EXPECT_EQ(accepted[0].begin, 0);
}

TEST(Nms, LargeGapsBecomeSpansAndSmallOnesJoin) {
  const std::vector<NmsCandidate> accepted = {{13, 20, 1.0F}, {23, 39, 1.0F}, {39, 44, 1.0F}};
  // Gap 0-13 stands alone; 20-23 would make 23-39 too long and joins 13-20; 44-46 joins what is before it.
  EXPECT_EQ(FillGaps(accepted, 0, 46, 8, 16), (std::vector<int64_t>{13, 23, 39, 46}));
  // 20-23 joins 23-39.
  EXPECT_EQ(FillGaps(accepted, 0, 46, 8, 32), (std::vector<int64_t>{13, 20, 39, 46}));
  // A small gap with nothing to join is a short span.
  EXPECT_EQ(FillGaps({}, 10, 14, 8, 32), (std::vector<int64_t>{14}));
  EXPECT_EQ(FillGaps({}, 0, 40, 8, 16), (std::vector<int64_t>{13, 26, 40}));
}

RC_GTEST_PROP(Nms, FilledGapsCoverEverythingInSpansOfLegalLength, (uint32_t seed)) {
  const auto width = *rc::gen::inRange<int64_t>(8, 40);
  const auto rows = *rc::gen::inRange<int64_t>(1, 200);
  const TriangleScore scores = Scored(RandomBand(rows, width, seed), kFirst, 2.0);
  const auto accepted = SuppressOverlaps(FindPeaks(scores, kFirst, kFirst + rows, 4, false));
  int64_t begin = kFirst;
  for (const int64_t end : FillGaps(accepted, kFirst, kFirst + rows, 4, width)) {
    RC_ASSERT(end > begin);
    RC_ASSERT(end - begin <= width);
    begin = end;
  }
  RC_ASSERT(begin == kFirst + rows);
}

}  // namespace
}  // namespace ltri
