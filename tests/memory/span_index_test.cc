// What the index holds, sealed or open, and what a search of it finds.
#include "memory/span_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "memory/span_search.h"
#include "support/index_contents.h"

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
  SpanIndexTest() : index_(kHeads, kDim, Tier::Create()) { index_.SetMean(mean_); }

  // Spans of one to three vectors.
  void Append(int64_t spans) {
    for (int64_t i = 0; i < spans; ++i) {
      const auto s = static_cast<uint32_t>(vectors_.size());
      vectors_.push_back(RandomVectors(kHeads * (1 + s % 3), s));
      index_.Append(vectors_.back().data(), 1 + s % 3);
    }
  }

  // Vector i of a span, less the mean.
  std::vector<float> Expected(int64_t head, int64_t span, int64_t i) const {
    const std::vector<float>& all = vectors_[static_cast<size_t>(span)];
    const int64_t count = static_cast<int64_t>(all.size()) / kHeads / kDim;
    std::vector<float> vector;
    for (int64_t j = 0; j < kDim; ++j) {
      vector.push_back(all[static_cast<size_t>((head * count + i) * kDim + j)] -
                       mean_[static_cast<size_t>(head * kDim + j)]);
    }
    return vector;
  }

  // Every vector appended is there once, under its span, to half a step of its 8 bits.
  void ExpectStored() const {
    ASSERT_EQ(index_.spans(), static_cast<int64_t>(vectors_.size()));
    for (int64_t h = 0; h < kHeads; ++h) {
      const testing::IndexContents head = testing::ContentsOf(index_, h);
      std::multimap<int32_t, int64_t> of_span;
      for (size_t v = 0; v < head.owners.size(); ++v) of_span.emplace(head.owners[v], static_cast<int64_t>(v));
      ASSERT_EQ(head.scales.size(), head.owners.size());
      ASSERT_TRUE(std::is_sorted(index_.head(h).owners.begin(), index_.head(h).owners.end()));
      for (size_t s = 0; s < vectors_.size(); ++s) {
        const auto count = static_cast<int64_t>(vectors_[s].size()) / kHeads / kDim;
        ASSERT_EQ(static_cast<int64_t>(of_span.count(static_cast<int32_t>(s))), count);
        for (int64_t i = 0; i < count; ++i) ExpectOneIs(head, of_span, s, Expected(h, static_cast<int64_t>(s), i));
      }
    }
  }

  static void ExpectOneIs(const testing::IndexContents& head, const std::multimap<int32_t, int64_t>& of_span,
                          size_t span, const std::vector<float>& expected) {
    const auto [begin, end] = of_span.equal_range(static_cast<int32_t>(span));
    const bool found = std::any_of(begin, end, [&](const auto& entry) {
      const float step = head.scales[static_cast<size_t>(entry.second)];
      for (int64_t j = 0; j < kDim; ++j) {
        const float stored = static_cast<float>(head.vectors[static_cast<size_t>(entry.second * kDim + j)]) * step;
        if (std::fabs(stored - expected[static_cast<size_t>(j)]) > step * 0.501F) return false;
      }
      return true;
    });
    ASSERT_TRUE(found) << "span " << span;
  }

  const std::vector<float> mean_ = RandomVectors(kHeads, 99);
  SpanIndex index_;
  std::vector<std::vector<float>> vectors_;  // [spans][heads, count, dim]
};

TEST_F(SpanIndexTest, HoldsVectorsLessTheMean) {
  Append(20);
  ExpectStored();
  EXPECT_GT(index_.BesideBlocks(), 0);
}

// What another index holds, bits and all; one head keeps nothing.
TEST_F(SpanIndexTest, TakesVectorsThatAreNumbers) {
  Append(700);
  SpanIndex copy(kHeads, kDim, Tier::Create(), {0, 1});
  copy.SetMean(mean_);
  const SpanIndex::Head& from = index_.head(1);
  for (size_t v = 0; v < from.owners.size();) {
    const auto same = std::find_if(from.owners.begin() + static_cast<int64_t>(v), from.owners.end(),
                                   [&](int32_t owner) { return owner != from.owners[v]; });
    const auto count = same - from.owners.begin() - static_cast<int64_t>(v);
    copy.AppendNumbers(from.vectors.data() + v * kDim, from.scales.data() + v, count);
    v += static_cast<size_t>(count);
  }
  EXPECT_EQ(copy.spans(), index_.spans());
  EXPECT_EQ(copy.head(1).vectors, from.vectors);
  EXPECT_EQ(copy.head(1).scales, from.scales);
  EXPECT_EQ(copy.head(1).owners, from.owners);
  EXPECT_TRUE(copy.head(0).vectors.empty());
  copy.Seal();
  index_.Seal();
  const testing::IndexContents sealed = testing::ContentsOf(copy, 1);
  EXPECT_EQ(sealed.vectors, testing::ContentsOf(index_, 1).vectors);
  EXPECT_EQ(sealed.owners, testing::ContentsOf(index_, 1).owners);
}

TEST_F(SpanIndexTest, SealingLosesNothing) {
  for (const int64_t more : {400, 1, 200, 900, 7}) {
    Append(more);
    index_.Seal();
    ExpectStored();
  }
  for (int64_t h = 0; h < kHeads; ++h) {
    const SpanIndex::Head& head = index_.head(h);
    int64_t sealed = 0;
    for (const SpanIndex::Sealed& part : index_.sealed()) sealed += part.segment->vectors;
    EXPECT_GT(sealed, 0);
    EXPECT_LT(head.owners.size(), static_cast<size_t>(SpanIndex::kSegment));
    ASSERT_EQ(head.clusters.size(), head.centroid_scales.size());
    ASSERT_EQ(head.centroids.size(), head.centroid_scales.size() * kDim);
    int64_t covered = 0;
    for (const SpanIndex::Cluster& cluster : head.clusters) covered += cluster.end - cluster.begin;
    EXPECT_EQ(covered, sealed);
    const double mean_size = static_cast<double>(sealed) / static_cast<double>(head.centroid_scales.size());
    EXPECT_NEAR(mean_size, SpanIndex::kClusterSize, 8);
  }
}

TEST_F(SpanIndexTest, TruncateKeepsTheFirstAndOpensWhatItCuts) {
  Append(1500);
  index_.Seal();
  for (const int64_t spans : {1400, 1201, 600, 3, 1}) {
    ASSERT_TRUE(index_.Truncate(spans).ok());
    vectors_.resize(static_cast<size_t>(spans));
    ExpectStored();
    EXPECT_TRUE(index_.has_mean());
  }
  Append(1200);
  index_.Seal();
  ExpectStored();
  ASSERT_TRUE(index_.Truncate(0).ok());
  EXPECT_EQ(index_.spans(), 0);
  EXPECT_FALSE(index_.has_mean());  // the next text has a mean of its own
}

TEST_F(SpanIndexTest, AKeyThatIsTheMeanBecomesZero) {
  index_.Append(mean_.data(), 1);
  for (int64_t j = 0; j < kDim; ++j) EXPECT_EQ(index_.head(1).vectors[static_cast<size_t>(j)], 0);
  EXPECT_EQ(index_.head(1).scales[0], 0.0F);
}

TEST_F(SpanIndexTest, HeadsThatAreNotSearchedKeepNothing) {
  SpanIndex index(kHeads, kDim, Tier::Create(), {0, 1});
  index.SetMean(mean_);
  for (uint32_t s = 0; s < 1100; ++s) index.Append(RandomVectors(kHeads, s).data(), 1);
  index.Seal();
  EXPECT_TRUE(testing::ContentsOf(index, 0).owners.empty());
  EXPECT_EQ(testing::ContentsOf(index, 1).owners.size(), 1100U);
  ASSERT_TRUE(index.Truncate(5).ok());
  EXPECT_TRUE(index.head(0).owners.empty());
  EXPECT_EQ(index.head(1).owners.size(), 5U);
}

// The best dot product of a query with each span's vectors, as stored.
std::map<int32_t, double> SlowRelevance(const testing::IndexContents& head, const float* query, double scale) {
  std::map<int32_t, double> best;
  for (size_t v = 0; v < head.owners.size(); ++v) {
    double dot = 0;
    for (int64_t j = 0; j < kDim; ++j) {
      dot += static_cast<double>(query[j]) * head.vectors[v * kDim + static_cast<size_t>(j)];
    }
    dot *= static_cast<double>(head.scales[v]) * scale;
    const auto [entry, fresh] = best.emplace(head.owners[v], dot);
    if (!fresh) entry->second = std::max(entry->second, dot);
  }
  return best;
}

TEST_F(SpanIndexTest, ASearchThatOpensAllFindsEveryRelevance) {
  Append(1500);
  index_.Seal();
  const std::vector<float> queries = RandomVectors(6, 7);
  SpanSearch search;
  Found found;
  for (int64_t h = 0; h < kHeads; ++h) {
    search.Start(index_, h, queries.data(), 6, 0.02F, 1 << 20);
    for (int64_t r = 0; r < 6; ++r) {
      search.Find(r, &found);
      const auto expected = SlowRelevance(testing::ContentsOf(index_, h), queries.data() + r * kDim, 0.02F);
      ASSERT_EQ(found.spans.size(), expected.size());
      for (size_t c = found.spans.size(); c < found.relevance.size(); ++c) {
        ASSERT_EQ(found.relevance[c], Found::kOpened);
      }
      std::map<int32_t, double> actual;
      for (size_t i = 0; i < found.spans.size(); ++i) actual[found.spans[i]] = static_cast<double>(found.relevance[i]);
      for (const auto& [span, relevance] : expected) ASSERT_NEAR(actual.at(span), relevance, 1e-4);
    }
  }
}

// Keys point to what they are about, and a query near one of them finds it in a few clusters.
TEST_F(SpanIndexTest, AFewClustersHoldTheBestSpan) {
  constexpr int64_t kTopics = 50;
  const std::vector<float> topics = RandomVectors(kTopics, 1000);
  for (uint32_t s = 0; s < 4000; ++s) {
    vectors_.push_back(RandomVectors(kHeads, s));
    for (size_t i = 0; i < vectors_.back().size(); ++i) {
      vectors_.back()[i] = 0.4F * vectors_.back()[i] + topics[s * 7 % kTopics * kDim + i % kDim];
    }
    index_.Append(vectors_.back().data(), 1);
  }
  index_.Seal();
  SpanSearch search;
  Found found;
  int64_t hits = 0;
  constexpr int64_t kQueries = 100;
  for (int64_t i = 0; i < kQueries; ++i) {
    const int64_t span = i * 37 % 3500;
    const std::vector<float> query = Expected(0, span, 0);
    search.Start(index_, 0, query.data(), 1, 1.0F, 16);
    search.Find(0, &found);
    ASSERT_LT(found.spans.size(), 1500U);
    ASSERT_EQ(found.relevance.size(), found.spans.size() + found.log_spans.size());
    const auto compared = static_cast<int64_t>(found.spans.size());
    const float best = *std::max_element(found.relevance.begin(), found.relevance.begin() + compared);
    double truth = -1e30;
    for (const auto& [_, relevance] : SlowRelevance(testing::ContentsOf(index_, 0), query.data(), 1.0)) {
      truth = std::max(truth, relevance);
    }
    hits += static_cast<double>(best) > truth - 1e-3 ? 1 : 0;
  }
  EXPECT_GE(hits, kQueries * 9 / 10);
}

}  // namespace
}  // namespace ltri
