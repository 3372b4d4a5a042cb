#include "memory/span_index.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace ltri {
namespace {

constexpr int64_t kHeads = 2;
constexpr int64_t kDim = 16;

std::vector<float> RandomVectors(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-2.0F, 2.0F);
  std::vector<float> values(static_cast<size_t>(count * kDim));
  for (float& value : values) value = uniform(random);
  return values;
}

class SpanIndexTest : public ::testing::Test {
 protected:
  SpanIndexTest() : index_(kHeads, kDim) { index_.SetMean(mean_); }

  void Append(int64_t count, uint32_t seed) {
    vectors_.push_back(RandomVectors(kHeads * count, seed));
    index_.Append(vectors_.back().data(), count);
  }

  // Every stored vector is the one appended, less the mean, to half a step of its 8 bits.
  void ExpectStored() const {
    ASSERT_EQ(index_.spans(), static_cast<int64_t>(vectors_.size()));
    for (int64_t head = 0; head < kHeads; ++head) {
      const IndexView view = index_.View(head);
      ASSERT_EQ(view.spans, index_.spans());
      for (int64_t s = 0; s < view.spans; ++s) {
        const std::vector<float>& span = vectors_[static_cast<size_t>(s)];
        const int64_t count = static_cast<int64_t>(span.size()) / kHeads / kDim;
        ASSERT_EQ(view.first[s + 1] - view.first[s], count);
        for (int64_t i = 0; i < count * kDim; ++i) {
          const int64_t v = view.first[s] + i / kDim;
          const float expected =
              span[static_cast<size_t>(head * count * kDim + i)] - mean_[static_cast<size_t>(head * kDim + i % kDim)];
          const float actual = static_cast<float>(view.vectors[view.first[s] * kDim + i]) * view.scales[v];
          ASSERT_NEAR(actual, expected, view.scales[v] * 0.501F);
        }
      }
    }
  }

  const std::vector<float> mean_ = RandomVectors(kHeads, 99);
  SpanIndex index_;
  std::vector<std::vector<float>> vectors_;  // [spans][heads, count, dim]
};

TEST_F(SpanIndexTest, HoldsVectorsLessTheMean) {
  for (uint32_t s = 0; s < 20; ++s) Append(1 + s % 4, s);
  ExpectStored();
  EXPECT_GT(index_.bytes(), 0);
}

TEST_F(SpanIndexTest, TruncateKeepsTheFirst) {
  for (uint32_t s = 0; s < 9; ++s) Append(1 + s % 3, s);
  index_.Truncate(12);
  ExpectStored();
  index_.Truncate(4);
  vectors_.resize(4);
  ExpectStored();
  EXPECT_TRUE(index_.has_mean());
  Append(2, 70);
  ExpectStored();
  index_.Truncate(0);
  EXPECT_EQ(index_.spans(), 0);
  EXPECT_FALSE(index_.has_mean());  // the next text has a mean of its own
}

TEST_F(SpanIndexTest, AKeyThatIsTheMeanBecomesZero) {
  index_.Append(mean_.data(), 1);
  for (int64_t i = 0; i < kDim; ++i) EXPECT_EQ(index_.View(1).vectors[i], 0);
  EXPECT_EQ(index_.View(1).scales[0], 0.0F);
}

}  // namespace
}  // namespace ltri
