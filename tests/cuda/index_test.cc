// Votes on the spans of an index on the card against plain loops.
#include "ops/cuda/index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cuda/card.h"
#include "support/ops_reference.h"

namespace ltri::cuda {
namespace {

using testing::Operands;

struct Case {
  const char* name;
  Voters voters;
  int64_t rows;
  int32_t head_dim;
  int64_t spans;
  std::vector<int32_t> heads;  // that vote, of 8
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

class IndexTest : public CardTestOf<::testing::TestWithParam<Case>> {
 protected:
  // The rows of the step that voter `voter` is the mean of.
  static std::pair<int64_t, int64_t> Rows(const Case& c, int64_t voter) {
    if (c.voters == Voters::kLastRows) {
      const int64_t row = std::max<int64_t>(0, c.rows - 64) + voter;
      return {row, row + 1};
    }
    if (voter == 0) return {0, c.rows};
    return {(voter - 1) * 64, std::min(c.rows, voter * 64)};
  }

  std::vector<double> Voter(const Case& c, int64_t head, int64_t voter) const {
    const auto [begin, end] = Rows(c, voter);
    const int64_t width = (shape_.heads + 2 * shape_.kv_heads) * c.head_dim;
    std::vector<double> mean(static_cast<size_t>(c.head_dim), 0.0);
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t d = 0; d < c.head_dim; ++d) {
        mean[static_cast<size_t>(d)] +=
            static_cast<double>(projections_[static_cast<size_t>(row * width + head * c.head_dim + d)]) /
            static_cast<double>(end - begin);
      }
    }
    return mean;
  }

  // Of each span its best vector's product with the query.
  std::vector<double> Relevance(const Case& c, int64_t indexed, const std::vector<double>& query) const {
    std::vector<double> relevance;
    for (int64_t span = 0; span < c.spans; ++span) {
      double best = -INFINITY;
      for (int64_t part = 0; part < kSpanVectors; ++part) {
        const int64_t at = (indexed * capacity_ + span) * kSpanVectors + part;
        double dot = 0;
        for (int64_t d = 0; d < c.head_dim; ++d) {
          dot += query[static_cast<size_t>(d)] * vectors_[static_cast<size_t>(at * c.head_dim + d)];
        }
        best = std::max(best, dot * static_cast<double>(scales_[static_cast<size_t>(at)]));
      }
      relevance.push_back(best * static_cast<double>(shape_.scale));
    }
    return relevance;
  }

  std::vector<double> Votes(const Case& c) const {
    const int64_t voters = VoterRows(c.voters, c.rows);
    std::vector<double> votes(static_cast<size_t>(c.spans), 0.0);
    for (size_t i = 0; i < c.heads.size(); ++i) {
      const int32_t head = c.heads[i];
      const auto kv_head = std::find(kv_heads_.begin(), kv_heads_.end(), head / (shape_.heads / shape_.kv_heads));
      for (int64_t voter = 0; voter < voters; ++voter) {
        std::vector<double> p = Relevance(c, kv_head - kv_heads_.begin(), Voter(c, head, voter));
        const double highest = *std::max_element(p.begin(), p.end());
        double sum = 0;
        for (double& x : p) sum += x = std::exp(x - highest);
        double entropy = 0;
        for (double& x : p) {
          x /= sum;
          if (x > 0) entropy -= x * std::log(x);
        }
        const double decided = std::max(0.0, 1 - entropy / std::log(static_cast<double>(c.spans)));
        for (size_t s = 0; s < p.size(); ++s) votes[s] += Weight(i) * p[s] * decided / static_cast<double>(voters);
      }
    }
    return votes;
  }

  static double Weight(size_t voter) { return 1.0 / (1.0 + static_cast<double>(voter)); }

  HeadShape shape_;
  std::vector<int32_t> kv_heads_;  // that are asked
  int64_t capacity_ = 0;
  std::vector<float> projections_;
  std::vector<int8_t> vectors_;
  std::vector<float> scales_;
};

TEST_P(IndexTest, VotesAreTheSumsOfSoftmaxes) {
  const Case& c = GetParam();
  shape_ = {8, 2, c.head_dim, 1, 0.2F};
  capacity_ = c.spans + 37;
  std::vector<int32_t> first;
  std::vector<float> weights;
  for (size_t i = 0; i < c.heads.size(); ++i) {
    const int32_t kv_head = c.heads[i] / (shape_.heads / shape_.kv_heads);
    weights.push_back(static_cast<float>(Weight(i)));
    if (!kv_heads_.empty() && kv_heads_.back() == kv_head) continue;
    kv_heads_.push_back(kv_head);
    first.push_back(static_cast<int32_t>(i));
  }
  first.push_back(static_cast<int32_t>(c.heads.size()));
  const auto indexed = static_cast<int64_t>(kv_heads_.size());
  Operands operands(31);
  projections_ = operands.Floats(c.rows * (shape_.heads + 2 * shape_.kv_heads) * c.head_dim, 3.0F);
  scales_ = operands.Floats(indexed * capacity_ * kSpanVectors, 1.0F);
  for (float& scale : scales_) scale = std::abs(scale) / 127.0F;
  for (int64_t i = 0; i < indexed * capacity_ * kSpanVectors * c.head_dim; ++i) {
    vectors_.push_back(static_cast<int8_t>(operands.Int(-127, 127)));
  }
  const Buffer projections = ToCard(projections_);
  const Buffer vectors = ToCard(vectors_);
  const Buffer scales = ToCard(scales_);
  const Buffer spans = ToCard(std::vector<int32_t>{static_cast<int32_t>(c.spans)});
  const Buffer heads = ToCard(c.heads);
  const Buffer kv_heads = ToCard(kv_heads_);
  const Buffer firsts = ToCard(first);
  const Buffer head_weights = ToCard(weights);
  const int64_t rows = VoterRows(c.voters, c.rows);
  const auto voters = static_cast<int64_t>(c.heads.size());
  VoteArgs args;
  args.shape = shape_;
  args.index.heads = {static_cast<int32_t>(voters), static_cast<int32_t>(indexed), heads.as<int32_t>(),
                      kv_heads.as<int32_t>(),       firsts.as<int32_t>(),          head_weights.as<float>()};
  args.index.capacity = capacity_;
  args.index.spans = spans.as<int32_t>();
  args.index.vectors = vectors.as<int8_t>();
  args.index.scales = scales.as<float>();
  args.p = {projections.as<float>(), c.rows};
  args.voters = c.voters;
  args.rows = rows;
  args.most_spans = c.spans;
  // Alone, and three at once.
  for (const size_t count : {1, 3}) {
    std::vector<Buffer> buffers;
    std::vector<VoteArgs> all;
    for (size_t i = 0; i < count; ++i) {
      const auto room = [&](int64_t bytes) { return buffers.emplace_back(bytes).as<void>(); };
      args.queries = room(VoterBytes(shape_, voters, rows));
      args.relevance = room(VoteScratchBytes(voters, rows, c.spans));
      args.votes = static_cast<float*>(room(c.spans * 4));
      args.highest = static_cast<uint32_t*>(room(4));
      all.push_back(args);
    }
    CastVotes(stream_, all);
    const std::vector<float> got = FromCard<float>(buffers[4 * count - 2], c.spans);
    EXPECT_LT(RelativeError(got, Votes(c)), 2e-2);
    EXPECT_EQ(FromCard<float>(buffers.back(), 1)[0], *std::max_element(got.begin(), got.end()));
  }
}

const std::vector<int32_t> kAll = {0, 1, 2, 3, 4, 5, 6, 7};
const std::vector<int32_t> kSome = {5, 6};

INSTANTIATE_TEST_SUITE_P(All, IndexTest,
                         ::testing::Values(Case{"block", Voters::kMeans, 200, 128, 1000, kAll},
                                           Case{"blockSomeHeads", Voters::kMeans, 200, 128, 1000, kSome},
                                           Case{"smallBlock", Voters::kMeans, 50, 64, 333, kAll},
                                           Case{"block256", Voters::kMeans, 200, 256, 1000, kAll},
                                           Case{"promptEnd256", Voters::kLastRows, 130, 256, 257, kSome},
                                           Case{"token256", Voters::kMean, 1, 256, 5000, kAll},
                                           Case{"tokenManySpans", Voters::kMean, 1, 128, 40000, kSome},
                                           Case{"tokenFewSpans", Voters::kMean, 1, 128, 3, kAll},
                                           Case{"promptEnd", Voters::kLastRows, 130, 128, 75, kAll},
                                           Case{"promptEnd64", Voters::kLastRows, 40, 64, 257, kSome},
                                           Case{"token", Voters::kMean, 1, 128, 5000, kAll},
                                           Case{"tokenSomeHeads", Voters::kMean, 1, 64, 5000, kSome}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace ltri::cuda
