#include "attention/choose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>

namespace ltri {
namespace {

std::vector<Span> SpansOf(const std::vector<int64_t>& lengths, int64_t first = 0) {
  std::vector<Span> spans;
  for (const int64_t length : lengths) {
    spans.push_back({first, first + length});
    first += length;
  }
  return spans;
}

using Picks = std::vector<int32_t>;

Ballot BallotOf(const std::vector<float>& votes) {
  Ballot ballot;
  for (size_t s = 0; s < votes.size(); ++s) {
    if (votes[s] != 0) ballot.push_back({static_cast<int32_t>(s), votes[s]});
  }
  return ballot;
}

// By votes alone.
Picks Choose(const std::vector<int64_t>& lengths, const std::vector<float>& votes, int64_t budget) {
  Ballot weights;
  return ChooseSpans(SpansOf(lengths), BallotOf(votes), budget, {.on = false}, &weights);
}

TEST(ChooseSpansTest, TakesByDescendingVote) { EXPECT_EQ(Choose({10, 10, 10, 10}, {1, 4, 2, 3}, 20), (Picks{1, 3})); }

TEST(ChooseSpansTest, TheSpanThatCrossesTheBudgetStaysIfThatIsNearer) {
  EXPECT_EQ(Choose({10, 10}, {2, 1}, 15), (Picks{0, 1}));  // 5 over is as near as 5 under
  EXPECT_EQ(Choose({10, 10}, {2, 1}, 14), (Picks{0}));
  EXPECT_EQ(Choose({10, 12}, {2, 1}, 17), (Picks{0, 1}));
  EXPECT_EQ(Choose({30}, {1}, 10), (Picks{}));
  EXPECT_EQ(Choose({30, 4}, {2, 1}, 10), (Picks{}));  // nothing jumps the queue
}

TEST(ChooseSpansTest, TiesGoToTheEarlierAndNothingFitsNoBudget) {
  EXPECT_EQ(Choose({5, 5, 5}, {1, 1, 1}, 10), (Picks{0, 1}));
  EXPECT_EQ(Choose({5, 5}, {1, 1}, 0), (Picks{}));
  EXPECT_EQ(Choose({}, {}, 10), (Picks{}));
}

TEST(ChooseSpansTest, WhatVotesLeaveFreeGoesToTheNewest) {
  EXPECT_EQ(Choose({10, 10, 10, 10}, {0, 3, 0, 0}, 30), (Picks{1, 2, 3}));
  EXPECT_EQ(Choose({10, 10, 10, 10}, {0, 0, 0, 0}, 20), (Picks{2, 3}));
  EXPECT_EQ(Choose({5, 60, 1}, {-1, 0, -7}, 66), (Picks{0, 1, 2}));  // all, when there is room
}

TEST(ChooseSpansTest, AShareGoesToFollowers) {
  const std::vector<Span> spans = SpansOf({10, 10, 10, 10, 10, 10});
  const Ballot votes = BallotOf({0, 8, 0, 0, 2, 3});
  const auto choose = [&](double share) {
    Ballot weights;
    return ChooseSpans(spans, votes, 30, {.on = false}, &weights, {.reach = 20, .share = share});
  };
  EXPECT_EQ(choose(0), (Picks{1, 4, 5}));
  EXPECT_EQ(choose(0.34), (Picks{1, 2, 5}));
  EXPECT_EQ(choose(0.67), (Picks{1, 2, 3}));
}

TEST(ChooseSpansTest, WhatFollowersLeaveGoesToVotesAndTheNewest) {
  Ballot weights;
  EXPECT_EQ(ChooseSpans(SpansOf({10, 10, 10, 10}), BallotOf({0, 0, 0, 1}), 30, {.on = false}, &weights,
                        {.reach = 20, .share = 0.5}),
            (Picks{1, 2, 3}));
}

TEST(ChooseSpansTest, AgreesWithTheRuleWrittenOut) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> lengths;
    std::vector<float> votes;
    for (uint32_t s = 0; s < 40; ++s) {
      lengths.push_back(1 + static_cast<int64_t>(random() % 30));
      votes.push_back(static_cast<float>(1 + random() % 20));
    }
    const auto budget = static_cast<int64_t>(random() % 300);
    std::vector<size_t> order(lengths.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return votes[a] > votes[b]; });
    Picks expected;
    int64_t total = 0;
    for (const size_t s : order) {
      if (std::abs(total + lengths[s] - budget) > std::abs(total - budget) || total >= budget) break;
      expected.push_back(static_cast<int32_t>(s));
      total += lengths[s];
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(Choose(lengths, votes, budget), expected) << "budget " << budget;
  }
}

TEST(ChooseSpansTest, WithoutPersistenceWeightsStay) {
  Ballot weights = {{0, 9}, {2, 9}};
  EXPECT_EQ(ChooseSpans(SpansOf({10, 10, 10}), BallotOf({1, 3, 2}), 20, {.on = false}, &weights), (Picks{1, 2}));
  EXPECT_EQ(weights, (Ballot{{0, 9}, {2, 9}}));
}

TEST(ChooseSpansTest, AShareGoesToWhatWasWantedBefore) {
  const std::vector<Span> spans = SpansOf({10, 10, 10, 10, 10, 10});
  Ballot weights;
  const Persistence persistence{.on = true, .share = 0.25, .decay = 0.5};
  // Nothing was wanted before: all by vote.
  EXPECT_EQ(ChooseSpans(spans, BallotOf({8, 4, 2, 1, 0, 0}), 40, persistence, &weights), (Picks{0, 1, 2, 3}));
  EXPECT_EQ(weights, BallotOf({8, 4, 2, 1, 0, 0}));
  // Now others are: the heaviest of before keeps a quarter of the budget.
  EXPECT_EQ(ChooseSpans(spans, BallotOf({0, 0, 1, 2, 8, 4}), 40, persistence, &weights), (Picks{0, 3, 4, 5}));
  EXPECT_EQ(weights, BallotOf({4, 2, 2, 2.5, 8, 4}));
}

TEST(ChooseSpansTest, WhatPersistsIsNotTakenTwice) {
  Ballot weights = {{1, 5}};
  EXPECT_EQ(
      ChooseSpans(SpansOf({10, 10, 10}), BallotOf({1, 3, 2}), 20, {.on = true, .share = 0.5, .decay = 1}, &weights),
      (Picks{1, 2}));
}

TEST(ChooseSpansTest, ForgetsWhatFellFarBehind) {
  const std::vector<Span> spans = SpansOf({10, 10});
  Ballot weights = {{0, 1}};
  for (int step = 0; step < 40; ++step) {
    ChooseSpans(spans, BallotOf({0, 1}), 10, {.on = true, .share = 0.5, .decay = 0.5}, &weights);
  }
  ASSERT_EQ(weights.size(), 1U);
  EXPECT_EQ(weights[0].span, 1);
}

TEST(ChooseSpansTest, FillsTheBudgetToHalfASpan) {
  std::mt19937 random(5);
  Ballot weights;
  std::vector<int64_t> lengths;
  for (int s = 0; s < 60; ++s) lengths.push_back(4 + static_cast<int64_t>(random() % 29));
  const std::vector<Span> spans = SpansOf(lengths, 64);
  for (int step = 0; step < 50; ++step) {
    std::vector<float> votes(60);
    for (float& vote : votes) vote = static_cast<float>(random() % 1000) / 1000;
    int64_t total = 0;
    for (const int32_t s : ChooseSpans(spans, BallotOf(votes), 200, {}, &weights))
      total += lengths[static_cast<size_t>(s)];
    ASSERT_NEAR(static_cast<double>(total), 200, 16);
  }
}

TEST(ToRangesTest, JoinsNeighboursBehindTheSinks) {
  const std::vector<Span> spans = SpansOf({5, 6, 7, 8}, 4);  // [4,9) [9,15) [15,22) [22,30)
  using Ranges = std::vector<TokenRange>;
  EXPECT_EQ(ToRanges(spans, Picks{0, 1, 3}, {0, 4}), (Ranges{{0, 15}, {22, 30}}));
  EXPECT_EQ(ToRanges(spans, Picks{1, 2}, {0, 4}), (Ranges{{0, 4}, {9, 22}}));
  EXPECT_EQ(ToRanges(spans, Picks{0}, {0, 0}), (Ranges{{4, 9}}));
  EXPECT_EQ(ToRanges(spans, Picks{}, {0, 0}), Ranges{});
}

}  // namespace
}  // namespace ltri
