#include "bench/drawn_heads.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ltri {
namespace {

TEST(DrawnHeadsTest, SoManyHeadsOfTheMiddleLayersCopy) {
  const int64_t count = UsualCopyingHeads(32, 32);
  EXPECT_EQ(count, 48);
  const std::vector<float> table = DrawHeadTable(32, 32, count);
  ASSERT_EQ(table.size(), 1024U);
  EXPECT_EQ(std::ranges::count_if(table, [](float score) { return score > 0; }), count);
  const auto layers = [&](int64_t begin, int64_t end) {
    return std::count_if(table.begin() + begin * 32, table.begin() + end * 32, [](float score) { return score > 0; });
  };
  EXPECT_EQ(layers(0, 5), 0);
  EXPECT_EQ(layers(28, 32), 0);
  EXPECT_GT(layers(5, 12), 0);
  EXPECT_GT(layers(20, 28), 0);
  EXPECT_EQ(table, DrawHeadTable(32, 32, count));
}

TEST(DrawnHeadsTest, AllMayCopy) {
  const std::vector<float> table = DrawHeadTable(4, 8, 32);
  EXPECT_TRUE(std::ranges::all_of(table, [](float score) { return score > 0; }));
}

}  // namespace
}  // namespace ltri
