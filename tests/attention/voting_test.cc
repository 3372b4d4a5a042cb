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
  SpanIndex index(heads, kDim, Tier::Create());
  index.SetMean(std::vector<float>(static_cast<size_t>(heads * kDim), 0.0F));
  for (int64_t s = 0; s < spans; ++s) {
    const int64_t count = 1 + s % 5;
    index.Append(RandomFloats(heads * count * kDim, static_cast<uint32_t>(s)).data(), count);
  }
  return index;
}

// relevance of a span: the best of its vectors.
double Relevance(const SpanIndex::Head& head, int64_t span, const float* query, double scale) {
  double best = -1e30;
  for (size_t v = 0; v < head.owners.size(); ++v) {
    if (head.owners[v] != span) continue;
    double dot = 0;
    for (size_t j = 0; j < kDim; ++j) {
      dot += static_cast<double>(query[j]) * head.vectors[v * kDim + j] * static_cast<double>(head.scales[v]);
    }
    best = std::max(best, dot * scale);
  }
  return best;
}

// The vote of one query on all spans.
std::vector<double> SlowVote(const SpanIndex::Head& head, int64_t spans, const float* query, const VotingRule& rule,
                             double weight) {
  std::vector<double> p;
  double sum = 0;
  for (int64_t s = 0; s < spans; ++s) {
    p.push_back(std::exp(Relevance(head, s, query, static_cast<double>(rule.scale))));
    sum += p.back();
  }
  double entropy = 0;
  for (double& x : p) {
    x /= sum;
    if (x > 0) entropy -= x * std::log(x);
  }
  if (rule.weights != VoteWeights::kUniform) {
    weight *= 1 - (p.size() > 1 ? entropy / std::log(static_cast<double>(p.size())) : 0);
  }
  for (double& x : p) x *= weight;
  return p;
}

// The votes of one head, in plain loops.
std::vector<double> SlowHead(const SpanIndex& index, const VotingRows& queries, int64_t head, const VotingRule& rule) {
  const SpanIndex::Head& mine = index.head(head * index.heads() / kHeads);
  const double weight = rule.weights == VoteWeights::kHeadTable ? static_cast<double>(rule.head_weights[head]) : 1.0;
  std::vector<double> votes(static_cast<size_t>(index.spans()), rule.votes == Votes::kRaw ? -1e30 : 0.0);
  for (int64_t r = 0; r < queries.rows; ++r) {
    const float* query = queries.queries.data() + (head * queries.rows + r) * kDim;
    const std::vector<double> vote = SlowVote(mine, index.spans(), query, rule, weight);
    for (size_t s = 0; s < votes.size(); ++s) {
      if (rule.votes == Votes::kRaw) {
        votes[s] = std::max(votes[s], weight * Relevance(mine, static_cast<int64_t>(s), query, 0.25));
      } else {
        votes[s] += vote[s] / static_cast<double>(queries.rows);
      }
    }
  }
  return votes;
}

void ExpectVotes(int64_t index_heads, int64_t spans, int64_t rows, VotingRule rule, int64_t groups) {
  const SpanIndex index = RandomIndex(index_heads, spans);
  const VotingRows queries{rows, RandomFloats(kHeads * rows * kDim, 50)};
  const std::vector<float> table = {0.0F, 0.9F, 0.2F, 0.01F};
  if (rule.weights == VoteWeights::kHeadTable) rule.head_weights = table.data();
  rule.scale = 0.25F;
  rule.most = spans;
  rule.minor = 0;
  ThreadPool pool(3);
  const std::vector<Ballot> ballots = CastVotes(pool, index, queries, kHeads, rule, groups);
  ASSERT_EQ(static_cast<int64_t>(ballots.size()), groups);
  for (int64_t g = 0; g < groups; ++g) {
    std::vector<double> expected(static_cast<size_t>(spans), 0.0);
    for (int64_t h = g * kHeads / groups; h < (g + 1) * kHeads / groups; ++h) {
      if (rule.voters != nullptr && rule.voters[h] == 0) continue;
      const std::vector<double> votes = SlowHead(index, queries, h, rule);
      for (size_t s = 0; s < votes.size(); ++s) expected[s] += votes[s];
    }
    std::vector<float> actual(static_cast<size_t>(spans), 0.0F);
    for (const SpanVote& v : ballots[static_cast<size_t>(g)]) actual[static_cast<size_t>(v.span)] = v.vote;
    for (size_t s = 0; s < expected.size(); ++s) {
      ASSERT_NEAR(static_cast<double>(actual[s]), expected[s], 2e-4) << "group " << g << ", span " << s;
    }
  }
}

TEST(CastVotesTest, AgreeWithTheFormulas) {
  for (const int64_t index_heads : {1, 2, 4}) {
    for (const int64_t spans : {1, 2, 37, 200}) {
      for (const int64_t rows : {1, 3, 20}) {
        for (const VoteWeights weights : {VoteWeights::kEntropy, VoteWeights::kUniform, VoteWeights::kHeadTable}) {
          ExpectVotes(index_heads, spans, rows, {.weights = weights}, 1);
        }
        ExpectVotes(index_heads, spans, rows, {.weights = VoteWeights::kEntropy}, 2);
        ExpectVotes(index_heads, spans, rows, {.votes = Votes::kRaw, .weights = VoteWeights::kUniform}, 4);
        ExpectVotes(index_heads, spans, rows, {.votes = Votes::kRaw, .weights = VoteWeights::kHeadTable}, 1);
      }
    }
  }
}

TEST(CastVotesTest, OnlyVotersVote) {
  const std::vector<uint8_t> voters = {0, 1, 0, 1};
  ExpectVotes(2, 37, 3, {.voters = voters.data()}, 1);
}

TEST(CastVotesTest, ABallotHoldsTheHighest) {
  const SpanIndex index = RandomIndex(2, 100);
  const VotingRows queries{1, RandomFloats(kHeads * kDim, 50)};
  ThreadPool pool(1);
  VotingRule rule;
  rule.scale = 0.25F;
  rule.most = 1000;
  Ballot all = CastVotes(pool, index, queries, kHeads, rule, 1)[0];
  rule.most = 5;
  const Ballot five = CastVotes(pool, index, queries, kHeads, rule, 1)[0];
  KeepHighest(all, 5);
  EXPECT_EQ(five, all);
}

// A long index is searched by clusters: what the closed ones would have got is an estimate, so votes differ little.
TEST(CastVotesTest, ClustersGiveNearlyTheVotesOfAWholeSearch) {
  constexpr int64_t kSpans = 3000;
  SpanIndex whole(1, kDim, Tier::Create());
  whole.SetMean(std::vector<float>(static_cast<size_t>(kDim), 0.0F));
  for (int64_t s = 0; s < kSpans; ++s) whole.Append(RandomFloats(2 * kDim, static_cast<uint32_t>(s)).data(), 2);
  SpanIndex clustered = whole;
  clustered.Seal();
  VotingRows queries{1, RandomFloats(kHeads * kDim, 51)};
  for (float& value : queries.queries) value *= 3;  // decided queries, as retrieval heads have
  ThreadPool pool(1);
  VotingRule rule;
  rule.scale = 0.25F;
  rule.probes = 64;
  rule.most = 10;
  const Ballot expected = CastVotes(pool, whole, queries, kHeads, rule, 1)[0];
  const Ballot actual = CastVotes(pool, clustered, queries, kHeads, rule, 1)[0];
  std::vector<float> votes(static_cast<size_t>(kSpans), 0.0F);
  for (const SpanVote& v : actual) votes[static_cast<size_t>(v.span)] = v.vote;
  double total = 0;
  double missed = 0;
  for (const SpanVote& v : expected) {
    total += static_cast<double>(v.vote);
    missed += static_cast<double>(std::fabs(v.vote - votes[static_cast<size_t>(v.span)]));
  }
  EXPECT_LT(missed, 0.25 * total);  // random vectors do not cluster; a model's keys do
}

}  // namespace
}  // namespace ltri
