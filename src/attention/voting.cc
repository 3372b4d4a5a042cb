#include "attention/voting.h"

#include <algorithm>
#include <limits>

#include "ops/vote.h"

namespace ltri {
namespace {

constexpr int64_t kSubBlock = 64;  // queries averaged within a block, and single queries at a prompt's end

// Rows [begin, end) of a step that one voting query stands for.
struct QueryRange {
  int64_t begin;
  int64_t end;
};

std::vector<QueryRange> RangesOf(const StepRange& step, VotingQueries voting_queries) {
  const int64_t count = step.count;
  if (voting_queries == VotingQueries::kBlockMean || count == 1) return {{0, count}};
  std::vector<QueryRange> ranges;
  if (step.kind == StepKind::kPromptEnd || step.kind == StepKind::kReread) {
    for (int64_t i = std::max<int64_t>(0, count - kSubBlock); i < count; ++i) ranges.push_back({i, i + 1});
    return ranges;
  }
  ranges.push_back({0, count});
  if (count <= kSubBlock) return ranges;
  for (int64_t i = 0; i < count; i += kSubBlock) ranges.push_back({i, std::min(count, i + kSubBlock)});
  return ranges;
}

// Raw scores (InfLLM): the best over the queries.
void AddRawVote(const float* relevance, int64_t rows, int64_t spans, float weight, float* votes) {
  for (int64_t s = 0; s < spans; ++s) {
    float best = -std::numeric_limits<float>::infinity();
    for (int64_t r = 0; r < rows; ++r) best = std::max(best, relevance[r * spans + s]);
    votes[s] += weight * best;
  }
}

}  // namespace

VotingRows CollectQueries(const float* q, int64_t heads, int64_t head_dim, const StepRange& step,
                          VotingQueries voting_queries, const RopeTable* rope, int64_t distance) {
  const std::vector<QueryRange> ranges = RangesOf(step, voting_queries);
  VotingRows out{static_cast<int64_t>(ranges.size()), {}};
  out.queries.resize(static_cast<size_t>(heads * out.rows * head_dim));
  std::vector<float> mean(static_cast<size_t>(head_dim));
  for (int64_t h = 0; h < heads; ++h) {
    for (int64_t r = 0; r < out.rows; ++r) {
      const QueryRange range = ranges[static_cast<size_t>(r)];
      std::fill(mean.begin(), mean.end(), 0.0F);
      for (int64_t i = range.begin; i < range.end; ++i) {
        const float* row = q + (i * heads + h) * head_dim;
        for (int64_t j = 0; j < head_dim; ++j) mean[static_cast<size_t>(j)] += row[j];
      }
      const float scale = 1.0F / static_cast<float>(range.end - range.begin);
      float* to = out.queries.data() + (h * out.rows + r) * head_dim;
      if (rope != nullptr) {
        RotateQuery(*rope, mean.data(), head_dim, distance, scale, to);
      } else {
        for (int64_t j = 0; j < head_dim; ++j) to[j] = mean[static_cast<size_t>(j)] * scale;
      }
    }
  }
  return out;
}

std::vector<float> HeadVotes(ThreadPool& pool, const SpanIndex& index, const VotingRows& queries, int64_t heads,
                             int64_t head_dim, const VotingRule& rule) {
  const int64_t spans = index.spans();
  const int64_t per_index = heads / index.heads();  // query heads that share an index head
  const int64_t rows = queries.rows;
  std::vector<float> relevance(static_cast<size_t>(heads * rows * spans));
  for (int64_t g = 0; g < index.heads(); ++g) {
    const int64_t first = g * per_index * rows;
    IndexScan(pool, index.View(g), queries.queries.data() + first * head_dim, per_index * rows, head_dim, rule.scale,
              relevance.data() + first * spans);
  }
  std::vector<float> votes(static_cast<size_t>(heads * spans), 0.0F);
  pool.Run(heads, [&](int64_t h, int) {
    float* mine = votes.data() + h * spans;
    float* scores = relevance.data() + h * rows * spans;
    const float weight = rule.weights == VoteWeights::kHeadTable ? rule.head_weights[h] : 1.0F;
    if (rule.votes == Votes::kRaw) return AddRawVote(scores, rows, spans, weight, mine);
    for (int64_t r = 0; r < rows; ++r) {
      AddSoftmaxVote(scores + r * spans, spans, weight / static_cast<float>(rows),
                     rule.weights == VoteWeights::kEntropy, mine);
    }
  });
  return votes;
}

std::vector<float> GroupVotes(const std::vector<float>& votes, int64_t heads, int64_t groups) {
  const int64_t spans = static_cast<int64_t>(votes.size()) / heads;
  std::vector<float> sums(static_cast<size_t>(groups * spans), 0.0F);
  for (int64_t h = 0; h < heads; ++h) {
    const float* from = votes.data() + h * spans;
    float* to = sums.data() + h * groups / heads * spans;
    for (int64_t s = 0; s < spans; ++s) to[s] += from[s];
  }
  return sums;
}

}  // namespace ltri
