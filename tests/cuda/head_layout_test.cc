// Where a model's heads lie on the card. Needs no card.
#include "cuda/head_layout.h"

#include <gtest/gtest.h>

#include <set>

namespace ltri::cuda {
namespace {

TEST(HeadLayout, HeadsBecomeOfASizeThatKernelsKnow) {
  EXPECT_EQ(CardHeadDim(16), 64);
  EXPECT_EQ(CardHeadDim(64), 64);
  EXPECT_EQ(CardHeadDim(96), 128);
  EXPECT_EQ(CardHeadDim(128), 128);
  EXPECT_EQ(CardHeadDim(256), 256);
  EXPECT_EQ(CardHeadDim(320), 0);
}

// Dimensions that turn together lie half a head apart; every dimension has one place.
TEST(HeadLayout, PairsLieHalfAHeadApart) {
  for (const RopePairs pairs : {RopePairs::kAdjacent, RopePairs::kHalves}) {
    for (const int64_t turned : {96, 72, 2}) {
      const HeadOrder order = TurnedOrder(96, turned, pairs);
      ASSERT_EQ(order.size(), 128U);
      const std::set<int32_t> places(order.begin(), order.end());
      EXPECT_EQ(places.size(), 97U);  // all dimensions and the zeros
      for (int32_t pair = 0; pair < turned / 2; ++pair) {
        const auto at = static_cast<size_t>(pair);
        const bool adjacent = pairs == RopePairs::kAdjacent;
        EXPECT_EQ(order[at], adjacent ? 2 * pair : pair);
        EXPECT_EQ(order[64 + at], adjacent ? 2 * pair + 1 : pair + turned / 2);
      }
      for (size_t zero = 48; zero < 64; ++zero) {
        EXPECT_EQ(order[zero], -1);
        EXPECT_EQ(order[64 + zero], -1);
      }
    }
  }
}

TEST(HeadLayout, RowsFollowTheirHeads) {
  const std::vector<int32_t> rows = RowOrder(PlainOrder(48), 2, 48);
  ASSERT_EQ(rows.size(), 128U);
  EXPECT_EQ(rows[47], 47);
  EXPECT_EQ(rows[48], -1);
  EXPECT_EQ(rows[64], 48);
  EXPECT_EQ(rows[111], 95);
}

}  // namespace
}  // namespace ltri::cuda
