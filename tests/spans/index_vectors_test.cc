#include "spans/index_vectors.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace ltri {
namespace {

std::vector<int32_t> Choose(const IndexRule& rule, int64_t length, float confidence = 0,
                            const std::vector<float>& received = {}) {
  std::vector<int32_t> offsets = {99};
  ChooseIndexTokens(rule, length, confidence, received, &offsets);
  return offsets;
}

TEST(IndexVectors, EvenTakesTheMiddlesOfEqualParts) {
  EXPECT_EQ(Choose({.kind = IndexVectors::kEven, .count = 2}, 16), (std::vector<int32_t>{4, 12}));
  EXPECT_EQ(Choose({.kind = IndexVectors::kEven, .count = 4}, 16), (std::vector<int32_t>{2, 6, 10, 14}));
  EXPECT_EQ(Choose({.kind = IndexVectors::kEven, .count = 2}, 17), (std::vector<int32_t>{4, 12}));
  EXPECT_EQ(Choose({.kind = IndexVectors::kEven, .count = 3}, 2), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(Choose({.kind = IndexVectors::kEven, .count = 0}, 9), (std::vector<int32_t>{4}));
}

TEST(IndexVectors, ReceivedTakesTheMostAttendedAndTheEarliestOfEquals) {
  const std::vector<float> received = {1, 5, 2, 5, 2, 0};
  const IndexRule one = {.kind = IndexVectors::kReceived, .count = 1};
  EXPECT_EQ(Choose(one, 6, 0, received), (std::vector<int32_t>{1}));
  const IndexRule three = {.kind = IndexVectors::kReceived, .count = 3};
  EXPECT_EQ(Choose(three, 6, 0, received), (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(Choose({.kind = IndexVectors::kMean4}, 6, 0, received), (std::vector<int32_t>{1, 2, 3, 4}));
}

TEST(IndexVectors, WithoutReceivedAttentionTheChoiceIsEven) {
  EXPECT_EQ(Choose({.kind = IndexVectors::kReceived, .count = 2}, 16), (std::vector<int32_t>{4, 12}));
  EXPECT_EQ(Choose({.kind = IndexVectors::kDynamic}, 16, 0.05F), Choose({.count = 6}, 16));
}

TEST(IndexVectors, DynamicTakesMoreWhereConfidenceIsLow) {
  const IndexRule rule = {.kind = IndexVectors::kDynamic};
  EXPECT_EQ(IndexCount(rule, 100, 0.0F), 6);
  EXPECT_EQ(IndexCount(rule, 100, 0.10F), 6);
  EXPECT_EQ(IndexCount(rule, 100, 0.16F), 4);
  EXPECT_EQ(IndexCount(rule, 100, 0.25F), 1);
  EXPECT_EQ(IndexCount(rule, 100, 0.9F), 1);
  EXPECT_EQ(IndexCount(rule, 3, 0.0F), 3);
}

TEST(IndexVectors, AllTakesEveryToken) {
  EXPECT_EQ(Choose({.kind = IndexVectors::kAll}, 5), (std::vector<int32_t>{0, 1, 2, 3, 4}));
}

TEST(IndexVectors, OnlyRulesByAttentionNeedIt) {
  EXPECT_FALSE(NeedsReceived({.kind = IndexVectors::kEven}));
  EXPECT_FALSE(NeedsReceived({.kind = IndexVectors::kAll}));
  EXPECT_TRUE(NeedsReceived({.kind = IndexVectors::kReceived}));
  EXPECT_TRUE(NeedsReceived({.kind = IndexVectors::kDynamic}));
  EXPECT_TRUE(NeedsReceived({.kind = IndexVectors::kMean4}));
}

RC_GTEST_PROP(IndexVectors, OffsetsAreDistinctAscendingAndInside, ()) {
  const auto kind = *rc::gen::element(IndexVectors::kEven, IndexVectors::kReceived, IndexVectors::kDynamic,
                                      IndexVectors::kMean4, IndexVectors::kAll);
  const auto length = *rc::gen::inRange<int64_t>(1, 130);
  const auto count = *rc::gen::inRange<int64_t>(1, 10);
  const auto received = *rc::gen::container<std::vector<float>>(
      static_cast<size_t>(length), rc::gen::map(rc::gen::inRange(0, 9), [](int x) { return static_cast<float>(x); }));
  const float confidence = 0.01F * static_cast<float>(*rc::gen::inRange(0, 100));
  const IndexRule rule = {.kind = kind, .count = count};
  const auto offsets = Choose(rule, length, confidence, received);
  RC_ASSERT(static_cast<int64_t>(offsets.size()) == IndexCount(rule, length, confidence));
  RC_ASSERT(offsets.front() >= 0);
  RC_ASSERT(offsets.back() < length);
  RC_ASSERT(std::adjacent_find(offsets.begin(), offsets.end(), std::greater_equal<>()) == offsets.end());
}

}  // namespace
}  // namespace ltri
