#include "memory/span_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "spans/test_band.h"

namespace ltri {
namespace {

constexpr int64_t kHeads = 4;
constexpr int64_t kKvHeads = 2;
constexpr int64_t kDim = 16;
constexpr int64_t kSinks = 4;
constexpr int64_t kWidth = 32;
constexpr int64_t kTokens = 400;

SpanMemory Make(SpanSelector selector, IndexVectors index, int64_t vectors = 2) {
  auto cutter =
      MakeSpanCutter({.selector = selector, .sinks = kSinks, .min_span = 4, .max_span = kWidth, .kappa = 2.0});
  IndexRule rule;
  rule.kind = index;
  rule.count = vectors;
  const auto tier = Tier::Create();
  SpanIndex store(SpanMemory::IndexHeads(rule, kHeads, kKvHeads), kDim, tier);
  return {std::move(*cutter), rule, kHeads, kKvHeads, tier, std::move(store)};
}

class SpanMemoryTest : public ::testing::Test {
 protected:
  SpanMemoryTest() : store_(kKvHeads, kDim, Tier::Create()), band_(RandomBand(kTokens, kWidth, 4)) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-2.0F, 2.0F);
    keys_.resize(static_cast<size_t>(kTokens * kKvHeads * kDim));
    for (float& key : keys_) key = FloatFromHalf(HalfFromFloat(uniform(random)));
    store_.Write(0, kTokens, keys_.data(), keys_.data());
    std::uniform_real_distribution<float> share(0.0F, 1.0F);
    for (int64_t i = 0; i < kHeads * kTokens; ++i) received_.push_back(share(random));
  }

  // Tokens [begin, end) of the band, in blocks.
  void Push(SpanMemory& memory, int64_t begin, int64_t end, int64_t block) const {
    for (int64_t at = begin; at < end; at += block) {
      const int64_t count = std::min(block, end - at);
      std::vector<float> rows;
      for (int64_t t = at; t < at + count; ++t) {
        const auto& row = band_[static_cast<size_t>(t)];
        rows.insert(rows.end(), row.begin(), row.end());
      }
      memory.Push(at, count, rows, kWidth);
    }
  }

  // The distance between index vector v of a head and the key of a token, or its average over tokens.
  float Distance(const SpanMemory& memory, int64_t head, int64_t v, const std::vector<int64_t>& tokens) const {
    const int64_t kv_head = head * kKvHeads / memory.index().heads();
    const IndexView view = memory.index().head(head).Open();
    float worst = 0;
    for (int64_t j = 0; j < kDim; ++j) {
      float key = 0;
      for (const int64_t t : tokens) key += Key(t, kv_head, j) / static_cast<float>(tokens.size());
      float mean = 0;
      for (int64_t t = kSinks; t < kSinks + 2 * kWidth; ++t) mean += Key(t, kv_head, j) / (2.0F * kWidth);
      const float stored = static_cast<float>(view.vectors[v * kDim + j]) * view.scales[v];
      worst = std::max(worst, std::fabs(stored - (key - mean)));
    }
    return worst;
  }
  float Key(int64_t token, int64_t kv_head, int64_t j) const {
    return keys_[static_cast<size_t>((token * kKvHeads + kv_head) * kDim + j)];
  }

  KvStore store_;
  Band band_;
  std::vector<float> keys_;      // [tokens, kv_heads, head_dim]
  std::vector<float> received_;  // [heads, tokens]
};

constexpr float kEightBits = 0.02F;  // half a step of an 8-bit vector whose largest entry is about 4

TEST_F(SpanMemoryTest, StoresWhatHasLeftAndNothingElse) {
  SpanMemory memory = Make(SpanSelector::kPartition, IndexVectors::kEven);
  EXPECT_EQ(memory.local_begin(), kSinks);
  Push(memory, 0, kTokens, 50);
  ASSERT_GT(memory.spans().size(), 10U);
  EXPECT_TRUE(memory.stored().empty());
  for (const int64_t limit : {int64_t{-60}, int64_t{3}, int64_t{100}, int64_t{101}, int64_t{250}, int64_t{60}}) {
    memory.StoreUntil(limit, store_);
  }
  const auto left =
      std::count_if(memory.spans().begin(), memory.spans().end(), [](const Span& s) { return s.end <= 250; });
  ASSERT_EQ(static_cast<int64_t>(memory.stored().size()), left);
  EXPECT_EQ(memory.local_begin(), memory.stored().back().end);
  for (int64_t s = 0; s < left; ++s) {
    const Span span = memory.stored()[static_cast<size_t>(s)];
    for (int64_t head = 0; head < kKvHeads; ++head) {
      const std::vector<int32_t>& owners = memory.index().head(head).owners;
      const auto first = std::lower_bound(owners.begin(), owners.end(), s) - owners.begin();
      ASSERT_EQ(std::count(owners.begin(), owners.end(), s), std::min<int64_t>(2, span.length()));
      EXPECT_LT(Distance(memory, head, first, {span.begin + span.length() / 4}), kEightBits);
      EXPECT_LT(Distance(memory, head, first + 1, {span.begin + span.length() * 3 / 4}), kEightBits);
    }
  }
}

TEST_F(SpanMemoryTest, HowThePromptIsSplitChangesNothing) {
  SpanMemory whole = Make(SpanSelector::kPartition, IndexVectors::kEven);
  Push(whole, 0, kTokens, kTokens);
  for (const int64_t block : {1, 7, 64, 129}) {
    SpanMemory split = Make(SpanSelector::kPartition, IndexVectors::kEven);
    Push(split, 0, kTokens, block);
    EXPECT_EQ(split.spans(), whole.spans()) << "blocks of " << block;
  }
}

// Received attention comes in pieces that overlap, as the local range moves on.
TEST_F(SpanMemoryTest, AveragesTheFourMostAttendedKeysOfEachHead) {
  SpanMemory memory = Make(SpanSelector::kFixed, IndexVectors::kMean4);
  std::vector<float> total(received_.size(), 0.0F);
  for (int64_t at = 0; at < kTokens; at += 40) {
    const int64_t begin = memory.stored().empty() ? 0 : memory.local_begin();
    const int64_t count = at + 40 - begin;
    std::vector<float> part;
    for (int64_t h = 0; h < kHeads; ++h) {
      for (int64_t t = begin; t < begin + count; ++t) {
        // Different in each step.
        const float share = received_[static_cast<size_t>(h * kTokens + (t + at) % kTokens)];
        part.push_back(share);
        total[static_cast<size_t>(h * kTokens + t)] += share;
      }
    }
    memory.AddReceived(begin, count, part);
    memory.Push(at, 40, {}, kWidth);
    memory.StoreUntil(at + 40 - 2 * kWidth, store_);
  }
  ASSERT_EQ(memory.index().heads(), kHeads);
  ASSERT_GT(memory.stored().size(), 8U);
  for (int64_t h = 0; h < kHeads; ++h) {
    for (size_t s = 0; s < memory.stored().size(); ++s) {
      const Span span = memory.stored()[s];
      std::vector<int64_t> tokens;
      for (int64_t t = span.begin; t < span.end; ++t) tokens.push_back(t);
      std::sort(tokens.begin(), tokens.end(), [&](int64_t a, int64_t b) {
        return total[static_cast<size_t>(h * kTokens + a)] > total[static_cast<size_t>(h * kTokens + b)];
      });
      tokens.resize(4);
      EXPECT_LT(Distance(memory, h, static_cast<int64_t>(s), tokens), kEightBits) << "head " << h << ", block " << s;
    }
  }
}

TEST_F(SpanMemoryTest, TruncateKeepsWholeSpansAndCutsTheRestAnew) {
  SpanMemory memory = Make(SpanSelector::kPartition, IndexVectors::kEven);
  Push(memory, 0, kTokens, 50);
  memory.StoreUntil(300, store_);
  const std::vector<Span> before = memory.spans();
  const SpanMemory copy = memory;
  for (const int64_t tokens : {380, 250, 170, 60, 3}) {
    ASSERT_TRUE(memory.Truncate(tokens, tokens - 64).ok());
    for (size_t s = 0; s < memory.spans().size(); ++s) EXPECT_EQ(memory.spans()[s], before[s]);
    for (const Span& span : memory.spans()) EXPECT_LE(span.end, tokens);
    for (const Span& span : memory.stored()) EXPECT_LE(span.end, tokens - 64);
    EXPECT_EQ(static_cast<int64_t>(memory.stored().size()), memory.index().spans());
  }
  EXPECT_TRUE(memory.spans().empty());
  // From the start again: as the first time. The copy never noticed.
  Push(memory, 3, kTokens, 50);
  EXPECT_EQ(memory.spans(), before);
  EXPECT_EQ(copy.spans(), before);
  EXPECT_GT(copy.stored().size(), 5U);
}

}  // namespace
}  // namespace ltri
