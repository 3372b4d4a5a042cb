#include "memory/vote_board.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace ltri {
namespace {

constexpr int64_t kLayers = 4;
constexpr int64_t kAll = 1000;

// Spans that cover [first, end) with random lengths.
std::vector<Span> RandomSpans(int64_t first, int64_t end, std::mt19937& random) {
  std::vector<Span> spans;
  while (first < end) {
    const int64_t length = std::min<int64_t>(end - first, 1 + static_cast<int64_t>(random() % 20));
    spans.push_back({first, first + length});
    first += length;
  }
  return spans;
}

SpanDirectory DirectoryOf(const std::vector<Span>& spans) {
  SpanDirectory directory;
  for (const Span& span : spans) directory.Append(span);
  return directory;
}

Ballot BallotOf(const std::vector<float>& votes) {
  Ballot ballot;
  for (size_t s = 0; s < votes.size(); ++s) {
    if (votes[s] != 0) ballot.push_back({static_cast<int32_t>(s), votes[s]});
  }
  return ballot;
}

// The same with every vote on every token written out.
class SlowBoard {
 public:
  void Replace(int64_t layer, const std::vector<Span>& spans, const std::vector<float>& votes) {
    std::vector<double>& mine = votes_[static_cast<size_t>(layer)];
    mine.assign(1000, 0.0);
    for (size_t s = 0; s < spans.size(); ++s) {
      for (int64_t t = spans[s].begin; t < spans[s].end; ++t) {
        mine[static_cast<size_t>(t)] = static_cast<double>(votes[s]) / static_cast<double>(spans[s].length());
      }
    }
  }
  void Truncate(int64_t tokens) {
    for (auto& layer : votes_) std::fill(layer.begin() + tokens, layer.end(), 0.0);
  }
  double Collect(const Span& span) const {
    double sum = 0;
    for (const auto& layer : votes_) {
      for (int64_t t = span.begin; t < span.end; ++t) sum += layer[static_cast<size_t>(t)];
    }
    return sum;
  }

 private:
  std::vector<std::vector<double>> votes_ =
      std::vector<std::vector<double>>(static_cast<size_t>(kLayers), std::vector<double>(1000, 0.0));
};

TEST(VoteBoardTest, AgreesWithVotesWrittenOut) {
  ThreadPool pool(3);
  std::mt19937 random(7);
  std::uniform_real_distribution<float> vote(0.0F, 3.0F);
  VoteBoard board(kLayers);
  SlowBoard slow;
  int64_t text = 40;
  for (int step = 0; step < 300; ++step) {
    const auto layer = static_cast<int64_t>(random() % kLayers);
    const std::vector<Span> spans = RandomSpans(4, text, random);
    std::vector<float> votes;
    for (size_t s = 0; s < spans.size(); ++s) votes.push_back(random() % 3 == 0 ? 0.0F : vote(random));
    board.Replace(layer, spans, BallotOf(votes));
    slow.Replace(layer, spans, votes);
    const std::vector<Span> asked = RandomSpans(4, text + 10, random);  // some spans nobody voted on yet
    std::vector<float> totals(asked.size(), 0.0F);
    int32_t last = -1;
    for (const SpanVote& v : board.Collect(pool, asked, DirectoryOf(asked), kAll)) {
      ASSERT_GT(v.span, last);
      last = v.span;
      totals[static_cast<size_t>(v.span)] = v.vote;
    }
    for (size_t s = 0; s < asked.size(); ++s) {
      ASSERT_NEAR(static_cast<double>(totals[s]), slow.Collect(asked[s]), 1e-3) << "step " << step;
    }
    text = std::min<int64_t>(900, text + static_cast<int64_t>(random() % 12));
    if (step % 50 == 49) {
      text = text / 2 + 10;
      board.Truncate(text);
      slow.Truncate(text);
    }
  }
  EXPECT_GT(board.bytes(), 0);
}

TEST(VoteBoardTest, VotesArePlacedAsTheyWereSaved) {
  ThreadPool pool(2);
  std::mt19937 random(9);
  std::uniform_real_distribution<float> vote(0.0F, 3.0F);
  const std::vector<Span> spans = RandomSpans(4, 500, random);
  VoteBoard cast(kLayers);
  VoteBoard placed(kLayers);
  for (int64_t layer = kLayers - 1; layer >= 0; --layer) {
    std::vector<float> votes;
    for (size_t s = 0; s < spans.size(); ++s) votes.push_back(random() % 2 == 0 ? 0.0F : vote(random));
    cast.Replace(layer, spans, BallotOf(votes));
    placed.Place(layer, cast.votes(layer));
  }
  EXPECT_EQ(placed.Collect(pool, spans, DirectoryOf(spans), kAll), cast.Collect(pool, spans, DirectoryOf(spans), kAll));
  StateWriter a;
  StateWriter b;
  cast.Save(&a);
  placed.Save(&b);
  EXPECT_EQ(a.bytes(), b.bytes());
}

TEST(VoteBoardTest, WhatIsNoNumberLeavesNoTrace) {
  ThreadPool pool(1);
  VoteBoard board(1);
  const std::vector<Span> spans = {{0, 10}, {10, 20}};
  board.Replace(0, spans, {{0, std::numeric_limits<float>::quiet_NaN()}, {1, 1.0F}});
  board.Replace(0, spans, {{0, 2.0F}, {1, 1.0F}});
  const Ballot totals = board.Collect(pool, spans, DirectoryOf(spans), kAll);
  ASSERT_EQ(totals.size(), 2U);
  EXPECT_NEAR(totals[0].vote, 2.0F, 1e-5F);
  EXPECT_NEAR(totals[1].vote, 1.0F, 1e-5F);
  const Ballot best = board.Collect(pool, spans, DirectoryOf(spans), 1);
  ASSERT_EQ(best.size(), 1U);
  EXPECT_EQ(best[0].span, 0);
  // Nor does what was taken back.
  board.Replace(0, spans, {});
  EXPECT_TRUE(board.Collect(pool, spans, DirectoryOf(spans), kAll).empty());
}

}  // namespace
}  // namespace ltri
