// KthHighest and AtLeast.
#include "ops/top_k.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "support/ops_reference.h"
#include "support/simd_targets.h"

namespace ltri {
namespace {

using testing::Operands;

constexpr float kNone = -std::numeric_limits<float>::infinity();

void ExpectRight(const std::vector<float>& x, int64_t k) {
  std::vector<float> scratch;
  float highest = 0;
  const auto count = static_cast<int64_t>(x.size());
  const float kth = KthHighest(x.data(), count, k, &highest, &scratch);
  std::vector<float> sorted;
  std::copy_if(x.begin(), x.end(), std::back_inserter(sorted), [](float v) { return v == v; });
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  EXPECT_EQ(highest, sorted.empty() ? kNone : sorted.front());
  EXPECT_EQ(kth, static_cast<size_t>(k) <= sorted.size() ? sorted[static_cast<size_t>(k - 1)] : kNone);
  std::vector<int32_t> expected;
  for (int32_t i = 0; i < count; ++i) {
    if (x[static_cast<size_t>(i)] >= kth) expected.push_back(i);
  }
  std::vector<int32_t> indices = {1, 2, 3};
  AtLeast(x.data(), count, kth, &indices);
  EXPECT_EQ(indices, expected);
}

TEST(TopKTest, EqualsSorting) {
  testing::ForEachSimdTarget([] {
    Operands any(1);
    for (const int64_t count : {0, 1, 5, 16, 31, 255, 257, 700, 15000}) {
      for (const int64_t k : {1, 2, 32, 300}) ExpectRight(any.Floats(count, 5.0F), k);
    }
  });
}

TEST(TopKTest, EqualValuesAllCount) {
  testing::ForEachSimdTarget([] { ExpectRight(std::vector<float>(600, 2.0F), 32); });
}

TEST(TopKTest, PassesOverWhatIsNoNumber) {
  testing::ForEachSimdTarget([] {
    Operands any(2);
    for (const int64_t every : {1, 2, 7}) {
      std::vector<float> x = any.Floats(333, 5.0F);
      for (size_t i = 0; i < x.size(); i += static_cast<size_t>(every)) x[i] = std::numeric_limits<float>::quiet_NaN();
      ExpectRight(x, 32);
    }
  });
}

}  // namespace
}  // namespace ltri
