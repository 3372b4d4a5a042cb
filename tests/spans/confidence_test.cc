#include "spans/confidence.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "spans/test_band.h"

namespace ltri {
namespace {

constexpr int64_t kFirst = 3;

// The definition with sets of tokens instead of formulas.
double SlowConfidence(const TriangleScore& scores, int64_t begin, int64_t end) {
  const double own = static_cast<double>(ScoreOf(scores, begin, end));
  if (own <= 0) return 0;
  const int64_t shift = std::max<int64_t>(2, (end - begin) / 8);
  double rivals = 0;
  for (int64_t i = -1; i <= 1; ++i) {
    for (int64_t j = -1; j <= 1; ++j) {
      const int64_t x = begin + i * shift;
      const int64_t y = end + j * shift;
      if ((i == 0 && j == 0) || x < kFirst || y > scores.next() || y <= x || y - x > scores.width()) continue;
      int64_t both = 0;
      int64_t any = 0;
      for (int64_t t = std::min(x, begin); t < std::max(y, end); ++t) {
        const bool in_span = t >= begin && t < end;
        const bool in_rival = t >= x && t < y;
        both += in_span && in_rival ? 1 : 0;
        any += in_span || in_rival ? 1 : 0;
      }
      rivals += std::max(0.0, static_cast<double>(ScoreOf(scores, x, y))) * static_cast<double>(both) /
                static_cast<double>(any);
    }
  }
  return own / (own + rivals);
}

TEST(Confidence, FollowsItsDefinition) {
  const TriangleScore scores = Scored(RandomBand(60, 30, 11), kFirst, 2.0);
  int positive = 0;
  for (int64_t begin = kFirst; begin < kFirst + 50; ++begin) {
    for (int64_t end = begin + 1; end <= std::min(begin + 30, kFirst + 60); ++end) {
      const double expected = SlowConfidence(scores, begin, end);
      positive += expected > 0 ? 1 : 0;
      ASSERT_NEAR(Confidence(scores, begin, end), expected, 1e-4) << begin << " to " << end;
    }
  }
  EXPECT_GT(positive, 100);
}

TEST(Confidence, IsZeroForAWorthlessSpan) {
  const TriangleScore scores = Scored(Band(40, std::vector<float>(16, 0.0F)), kFirst, 2.0);
  EXPECT_EQ(Confidence(scores, kFirst + 4, kFirst + 14), 0);
}

TEST(Confidence, RivalsBeforeTheKeptRowsDoNotCount) {
  const Band band = RandomBand(100, 16, 2);
  TriangleScore scores(kFirst, 16, 1.0, 20);
  for (const auto& row : band) scores.Push(row);
  const float confidence = Confidence(scores, scores.oldest(), scores.oldest() + 3);
  EXPECT_GE(confidence, 0);
  EXPECT_LE(confidence, 1);
}

}  // namespace
}  // namespace ltri
