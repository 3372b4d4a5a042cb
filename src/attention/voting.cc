#include "attention/voting.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "memory/span_search.h"
#include "ops/vote.h"
#include "spans/tally.h"

namespace ltri {
namespace {

// Heads that copy less often than this are left out: their votes would change nothing.
constexpr float kLeastScore = 0.01F;

// So many queries of a head keep scratch of their own for every voting head; with more the heads share it.
constexpr int64_t kFewRows = 4;

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

// A span's vote this small decides nothing, and most spans get no more.
constexpr float kNegligible = 1e-6F;

void DropMinor(Ballot& ballot, float minor) {
  float highest = 0;
  for (const SpanVote& v : ballot) highest = std::max(highest, v.vote);
  std::erase_if(ballot, [&](const SpanVote& v) { return v.vote < minor * highest; });
}

// found.relevance becomes probabilities; returns 1 - their entropy in parts of the most it can be.
float Decidedness(Found& found, int64_t spans) {
  const auto count = static_cast<int64_t>(found.relevance.size());
  float entropy = SoftmaxWithEntropy(found.relevance.data(), count);
  // A closed cluster's share is spread over its spans.
  entropy += Dot(found.relevance.data() + found.spans.size(), found.log_spans.data(),
                 static_cast<int64_t>(found.log_spans.size()));
  return std::max(0.0F, 1.0F - entropy / std::log(static_cast<float>(std::max<int64_t>(spans, 2))));
}

// What a search that was started finds, as one head's ballot.
Ballot HeadBallot(SpanSearch& search, const SpanIndex& index, int64_t rows, float weight, const VotingRule& rule) {
  thread_local Tally tally;
  thread_local Found found;
  tally.Reserve(index.spans());
  for (int64_t r = 0; r < rows; ++r) {
    search.Find(r, &found);
    if (found.spans.empty()) continue;
    if (rule.votes == Votes::kRaw) {  // InfLLM: the best over the queries
      for (size_t i = 0; i < found.spans.size(); ++i) tally.Raise(found.spans[i], weight * found.relevance[i]);
      continue;
    }
    const float decided = Decidedness(found, index.spans());
    const float share = weight / static_cast<float>(rows) * (rule.weights == VoteWeights::kUniform ? 1.0F : decided);
    for (size_t i = 0; i < found.spans.size(); ++i) {
      const float vote = share * found.relevance[i];
      if (vote >= kNegligible) tally.Add(found.spans[i], vote);
    }
  }
  return tally.Take();
}

// The ballots of `voters`, heads of a layer.
std::vector<Ballot> BallotsOf(ThreadPool& pool, const SpanIndex& index, const VotingRows& queries, int64_t heads,
                              const VotingRule& rule, std::span<const int64_t> voters) {
  const auto prepare = [&](int64_t v, SpanSearch& search) {
    const int64_t h = voters[static_cast<size_t>(v)];
    search.Prepare(index, h * index.heads() / heads, queries.queries.data() + h * queries.rows * index.head_dim(),
                   queries.rows, rule.scale, rule.probes);
  };
  std::vector<Ballot> ballots(voters.size());
  const auto vote = [&](int64_t v, SpanSearch& search) {
    const int64_t h = voters[static_cast<size_t>(v)];
    const float weight = rule.weights == VoteWeights::kHeadTable ? rule.head_weights[h] : 1.0F;
    ballots[static_cast<size_t>(v)] = HeadBallot(search, index, queries.rows, weight, rule);
  };
  const auto count = static_cast<int64_t>(voters.size());
  if (queries.rows > kFewRows) {
    pool.Run(count, [&](int64_t v, int) {
      thread_local SpanSearch search;
      prepare(v, search);
      for (int64_t piece = 0; piece < search.Pieces(); ++piece) search.Compare(piece);
      vote(v, search);
    });
    return ballots;
  }
  // Mostly one head of a layer votes, so the threads share its centroids.
  thread_local std::vector<SpanSearch> kept;
  std::vector<SpanSearch>& searches = kept;  // the caller's, also in the tasks below
  if (searches.size() < voters.size()) searches.resize(voters.size());
  int64_t pieces = 0;  // of the head with most
  for (int64_t v = 0; v < count; ++v) {
    prepare(v, searches[static_cast<size_t>(v)]);
    pieces = std::max(pieces, searches[static_cast<size_t>(v)].Pieces());
  }
  pool.Run(count * pieces, [&](int64_t i, int) {
    SpanSearch& search = searches[static_cast<size_t>(i / pieces)];
    if (i % pieces < search.Pieces()) search.Compare(i % pieces);
  });
  pool.Run(count, [&](int64_t v, int) { vote(v, searches[static_cast<size_t>(v)]); });
  return ballots;
}

}  // namespace

std::vector<uint8_t> ChooseVoters(const SessionOptions& options) {
  const std::vector<float>& table = options.head_table;
  int64_t count = options.voting_heads;
  if (options.vote_weights == VoteWeights::kHeadTable) {
    const auto copying = std::ranges::count_if(table, [](float score) { return score >= kLeastScore; });
    count = count == 0 ? copying : std::min<int64_t>(count, copying);
    count = std::max<int64_t>(count, 1);
  }
  if (count == 0 || count >= static_cast<int64_t>(table.size())) return {};
  std::vector<size_t> order(table.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return table[a] > table[b]; });
  std::vector<uint8_t> voters(table.size(), 0);
  for (int64_t i = 0; i < count; ++i) voters[order[static_cast<size_t>(i)]] = 1;
  return voters;
}

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

std::vector<Ballot> CastVotes(ThreadPool& pool, const SpanIndex& index, const VotingRows& queries, int64_t heads,
                              const VotingRule& rule, int64_t groups) {
  std::vector<int64_t> voters;
  for (int64_t h = 0; h < heads; ++h) {
    if (rule.voters == nullptr || rule.voters[h] != 0) voters.push_back(h);
  }
  const std::vector<Ballot> by_voter = BallotsOf(pool, index, queries, heads, rule, voters);
  thread_local Tally tally;
  tally.Reserve(index.spans());
  std::vector<Ballot> ballots;
  size_t next = 0;
  for (int64_t g = 0; g < groups; ++g) {
    for (; next < voters.size() && voters[next] < (g + 1) * heads / groups; ++next) {
      for (const SpanVote& v : by_voter[next]) tally.Add(v.span, v.vote);
    }
    ballots.push_back(tally.Take());
    KeepHighest(ballots.back(), rule.most);
    if (rule.votes == Votes::kSoftmax) DropMinor(ballots.back(), rule.minor);
  }
  return ballots;
}

}  // namespace ltri
