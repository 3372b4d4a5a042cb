// Votes against the formulas of the specification, written out over plain loops.
#include "attention/voting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "attention/method_driver.h"

namespace ltri {
namespace {

constexpr int64_t kHeads = 4;
constexpr int64_t kDim = 16;

std::vector<float> RandomFloats(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-2.0F, 2.0F);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = uniform(random);
  return values;
}

// The mean of head `head`'s queries [begin, end).
std::vector<float> MeanQuery(const std::vector<float>& q, int64_t head, int64_t begin, int64_t end) {
  std::vector<float> mean(static_cast<size_t>(kDim), 0.0F);
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t j = 0; j < kDim; ++j) {
      mean[static_cast<size_t>(j)] +=
          q[static_cast<size_t>((i * kHeads + head) * kDim + j)] / static_cast<float>(end - begin);
    }
  }
  return mean;
}

void ExpectQueries(const StepRange& step, VotingQueries which, const std::vector<std::pair<int64_t, int64_t>>& ranges) {
  const std::vector<float> q = RandomFloats(step.count * kHeads * kDim, 1);
  const VotingRows rows = CollectQueries(q.data(), kHeads, kDim, step, which, nullptr, 0);
  ASSERT_EQ(rows.rows, static_cast<int64_t>(ranges.size()));
  for (int64_t head = 0; head < kHeads; ++head) {
    for (int64_t r = 0; r < rows.rows; ++r) {
      const auto [begin, end] = ranges[static_cast<size_t>(r)];
      const std::vector<float> mean = MeanQuery(q, head, begin, end);
      for (int64_t j = 0; j < kDim; ++j) {
        ASSERT_NEAR(rows.queries[static_cast<size_t>((head * rows.rows + r) * kDim + j)], mean[static_cast<size_t>(j)],
                    1e-5F);
      }
    }
  }
}

TEST(CollectQueriesTest, ABlockVotesByItsMeanAndThoseOfItsSixtyFours) {
  ExpectQueries({500, 150, StepKind::kPrompt}, VotingQueries::kSubBlocks, {{0, 150}, {0, 64}, {64, 128}, {128, 150}});
  ExpectQueries({500, 64, StepKind::kPrompt}, VotingQueries::kSubBlocks, {{0, 64}});
  ExpectQueries({500, 150, StepKind::kPrompt}, VotingQueries::kBlockMean, {{0, 150}});
}

TEST(CollectQueriesTest, AtAPromptsEndTheLastSixtyFourVoteEachForItself) {
  for (const StepKind kind : {StepKind::kPromptEnd, StepKind::kReread}) {
    std::vector<std::pair<int64_t, int64_t>> ranges;
    for (int64_t i = 86; i < 150; ++i) ranges.emplace_back(i, i + 1);
    ExpectQueries({500, 150, kind}, VotingQueries::kSubBlocks, ranges);
    ExpectQueries({500, 3, kind}, VotingQueries::kSubBlocks, {{0, 1}, {1, 2}, {2, 3}});
    ExpectQueries({500, 150, kind}, VotingQueries::kBlockMean, {{0, 150}});
  }
}

TEST(CollectQueriesTest, ADecodedTokenVotesItself) {
  ExpectQueries({500, 1, StepKind::kDecode}, VotingQueries::kSubBlocks, {{0, 1}});
  ExpectQueries({500, 1, StepKind::kDecode}, VotingQueries::kBlockMean, {{0, 1}});
}

TEST(CollectQueriesTest, TurnsByADistanceWhenAsked) {
  const ModelConfig config = DriverConfig();
  RopeTables ropes(config);
  const std::vector<float> q = RandomFloats(5 * kHeads * kDim, 2);
  const VotingRows rows = CollectQueries(q.data(), kHeads, kDim, {100, 5, StepKind::kPrompt}, VotingQueries::kBlockMean,
                                         &ropes.ForLayer(0, 65), 64);
  for (int64_t head = 0; head < kHeads; ++head) {
    const std::vector<double> turned = Turned(MeanQuery(q, head, 0, 5).data(), config, 64);
    for (int64_t j = 0; j < kDim; ++j) {
      ASSERT_NEAR(static_cast<double>(rows.queries[static_cast<size_t>(head * kDim + j)]),
                  turned[static_cast<size_t>(j)], 1e-4);
    }
  }
}

// Spans of one to five vectors, for `heads` index heads.
SpanIndex RandomIndex(int64_t heads, int64_t spans) {
  SpanIndex index(heads, kDim);
  index.SetMean(std::vector<float>(static_cast<size_t>(heads * kDim), 0.0F));
  for (int64_t s = 0; s < spans; ++s) {
    const int64_t count = 1 + s % 5;
    index.Append(RandomFloats(heads * count * kDim, static_cast<uint32_t>(s)).data(), count);
  }
  return index;
}

// relevance of a span: the best of its vectors.
double Relevance(const IndexView& view, int64_t span, const float* query, double scale) {
  double best = -1e30;
  for (int64_t v = view.first[span]; v < view.first[span + 1]; ++v) {
    double dot = 0;
    for (int64_t j = 0; j < kDim; ++j) {
      dot += static_cast<double>(query[j]) * view.vectors[v * kDim + j] * static_cast<double>(view.scales[v]);
    }
    best = std::max(best, dot * scale);
  }
  return best;
}

// The vote of one query on all spans.
std::vector<double> SlowVote(const IndexView& view, const float* query, const VotingRule& rule, double weight) {
  std::vector<double> p;
  double sum = 0;
  for (int64_t s = 0; s < view.spans; ++s) {
    p.push_back(std::exp(Relevance(view, s, query, static_cast<double>(rule.scale))));
    sum += p.back();
  }
  double entropy = 0;
  for (double& x : p) {
    x /= sum;
    if (x > 0) entropy -= x * std::log(x);
  }
  if (rule.weights == VoteWeights::kEntropy) {
    weight *= 1 - (p.size() > 1 ? entropy / std::log(static_cast<double>(p.size())) : 0);
  }
  for (double& x : p) x *= weight;
  return p;
}

void ExpectVotes(int64_t index_heads, int64_t spans, int64_t rows, VoteWeights weights, Votes votes) {
  const SpanIndex index = RandomIndex(index_heads, spans);
  const VotingRows queries{rows, RandomFloats(kHeads * rows * kDim, 50)};
  const std::vector<float> table = {0.0F, 0.9F, 0.2F, 0.01F};
  const VotingRule rule{votes, weights, weights == VoteWeights::kHeadTable ? table.data() : nullptr, 0.25F};
  ThreadPool pool(3);
  const std::vector<float> actual = HeadVotes(pool, index, queries, kHeads, kDim, rule);
  ASSERT_EQ(static_cast<int64_t>(actual.size()), kHeads * spans);
  for (int64_t head = 0; head < kHeads; ++head) {
    const IndexView view = index.View(head * index_heads / kHeads);
    const double weight =
        weights == VoteWeights::kHeadTable ? static_cast<double>(table[static_cast<size_t>(head)]) : 1.0;
    std::vector<double> expected(static_cast<size_t>(spans), votes == Votes::kRaw ? -1e30 : 0.0);
    for (int64_t r = 0; r < rows; ++r) {
      const float* query = queries.queries.data() + (head * rows + r) * kDim;
      const std::vector<double> vote = SlowVote(view, query, rule, weight);
      for (int64_t s = 0; s < spans; ++s) {
        double& e = expected[static_cast<size_t>(s)];
        if (votes == Votes::kRaw) {
          e = std::max(e, weight * Relevance(view, s, query, 0.25));
        } else {
          e += vote[static_cast<size_t>(s)] / static_cast<double>(rows);
        }
      }
    }
    for (int64_t s = 0; s < spans; ++s) {
      ASSERT_NEAR(static_cast<double>(actual[static_cast<size_t>(head * spans + s)]), expected[static_cast<size_t>(s)],
                  2e-5)
          << "head " << head << ", span " << s;
    }
  }
}

TEST(HeadVotesTest, AgreeWithTheFormulas) {
  for (const int64_t index_heads : {1, 2, 4}) {
    for (const int64_t spans : {1, 2, 37, 300}) {
      for (const int64_t rows : {1, 3, 64}) {
        for (const VoteWeights weights : {VoteWeights::kEntropy, VoteWeights::kUniform, VoteWeights::kHeadTable}) {
          ExpectVotes(index_heads, spans, rows, weights, Votes::kSoftmax);
        }
        ExpectVotes(index_heads, spans, rows, VoteWeights::kUniform, Votes::kRaw);
        ExpectVotes(index_heads, spans, rows, VoteWeights::kHeadTable, Votes::kRaw);
      }
    }
  }
}

TEST(GroupVotesTest, SumsEqualGroups) {
  const std::vector<float> votes = {1, 2, 10, 20, 100, 200, 1000, 2000};  // [4 heads, 2 spans]
  EXPECT_EQ(GroupVotes(votes, 4, 1), (std::vector<float>{1111, 2222}));
  EXPECT_EQ(GroupVotes(votes, 4, 2), (std::vector<float>{11, 22, 1100, 2200}));
  EXPECT_EQ(GroupVotes(votes, 4, 4), votes);
}

}  // namespace
}  // namespace ltri
