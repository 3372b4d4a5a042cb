#include "attention/choose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
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

std::vector<uint8_t> Take(const std::vector<int64_t>& lengths, const std::vector<float>& votes, int64_t budget,
                          int64_t* taken = nullptr) {
  std::vector<uint8_t> picked(lengths.size(), 0);
  const std::vector<uint8_t> allowed(lengths.size(), 1);
  const int64_t count = TakeByVote(SpansOf(lengths), votes, allowed, budget, picked);
  if (taken != nullptr) *taken = count;
  return picked;
}

using Picks = std::vector<uint8_t>;

TEST(TakeByVoteTest, TakesByDescendingVote) {
  EXPECT_EQ(Take({10, 10, 10, 10}, {1, 4, 2, 3}, 20), (Picks{0, 1, 0, 1}));
}

TEST(TakeByVoteTest, TheSpanThatCrossesTheBudgetStaysIfThatIsNearer) {
  EXPECT_EQ(Take({10, 10}, {2, 1}, 15), (Picks{1, 1}));  // 5 over is as near as 5 under
  EXPECT_EQ(Take({10, 10}, {2, 1}, 14), (Picks{1, 0}));
  EXPECT_EQ(Take({10, 12}, {2, 1}, 17), (Picks{1, 1}));
  EXPECT_EQ(Take({30}, {1}, 10), (Picks{0}));
  EXPECT_EQ(Take({30, 4}, {2, 1}, 10), (Picks{0, 0}));  // nothing jumps the queue
}

TEST(TakeByVoteTest, TiesGoToTheEarlierAndNothingFitsNoBudget) {
  EXPECT_EQ(Take({5, 5, 5}, {1, 1, 1}, 10), (Picks{1, 1, 0}));
  EXPECT_EQ(Take({5, 5}, {1, 1}, 0), (Picks{0, 0}));
  EXPECT_EQ(Take({}, {}, 10), Picks{});
}

TEST(TakeByVoteTest, TakesEverythingWhenThereIsRoom) {
  int64_t taken = 0;
  EXPECT_EQ(Take({5, 60, 1}, {-1, 0, -7}, 66, &taken), (Picks{1, 1, 1}));
  EXPECT_EQ(taken, 66);
}

TEST(TakeByVoteTest, LeavesOutWhatIsNotAllowedOrNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Take({5, 5, 5}, {nan, 1, nan}, 15), (Picks{0, 1, 0}));
  Picks picked(2, 0);
  TakeByVote(SpansOf({5, 5}), std::vector<float>{2, 1}, Picks{0, 1}, 10, picked);
  EXPECT_EQ(picked, (Picks{0, 1}));
}

TEST(TakeByVoteTest, AgreesWithTheRuleWrittenOut) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> lengths;
    std::vector<float> votes;
    for (uint32_t s = 0; s < 40; ++s) {
      lengths.push_back(1 + static_cast<int64_t>(random() % 30));
      votes.push_back(static_cast<float>(random() % 20));
    }
    const auto budget = static_cast<int64_t>(random() % 300);
    std::vector<size_t> order(lengths.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return votes[a] > votes[b]; });
    Picks expected(lengths.size(), 0);
    int64_t total = 0;
    for (const size_t s : order) {
      if (std::abs(total + lengths[s] - budget) > std::abs(total - budget) || total >= budget) break;
      expected[s] = 1;
      total += lengths[s];
    }
    int64_t taken = 0;
    ASSERT_EQ(Take(lengths, votes, budget, &taken), expected) << "budget " << budget;
    ASSERT_EQ(taken, total);
  }
}

TEST(ChooseSpansTest, WithoutPersistenceVotesAloneDecide) {
  std::vector<float> weights = {9, 9, 9};
  EXPECT_EQ(ChooseSpans(SpansOf({10, 10, 10}), std::vector<float>{1, 3, 2}, 20, {.on = false}, weights),
            (Picks{0, 1, 1}));
  EXPECT_EQ(weights, (std::vector<float>{9, 9, 9}));
}

TEST(ChooseSpansTest, AShareGoesToWhatWasWantedBefore) {
  const std::vector<Span> spans = SpansOf({10, 10, 10, 10, 10, 10});
  std::vector<float> weights(6, 0.0F);
  const Persistence persistence{.on = true, .share = 0.25, .decay = 0.5};
  // Nothing was wanted before: all by vote.
  EXPECT_EQ(ChooseSpans(spans, std::vector<float>{8, 4, 2, 1, 0, 0}, 40, persistence, weights),
            (Picks{1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(weights, (std::vector<float>{8, 4, 2, 1, 0, 0}));
  // Now others are: the heaviest of before keeps a quarter of the budget.
  EXPECT_EQ(ChooseSpans(spans, std::vector<float>{0, 0, 1, 2, 8, 4}, 40, persistence, weights),
            (Picks{1, 0, 0, 1, 1, 1}));
  EXPECT_EQ(weights, (std::vector<float>{4, 2, 2, 2.5, 8, 4}));
}

TEST(ChooseSpansTest, WhatPersistsIsNotTakenTwice) {
  const std::vector<Span> spans = SpansOf({10, 10, 10});
  std::vector<float> weights = {0, 5, 0};
  EXPECT_EQ(ChooseSpans(spans, std::vector<float>{1, 3, 2}, 20, {.on = true, .share = 0.5, .decay = 1}, weights),
            (Picks{0, 1, 1}));
}

TEST(ChooseSpansTest, FillsTheBudgetToHalfASpan) {
  std::mt19937 random(5);
  std::vector<float> weights(60, 0.0F);
  std::vector<int64_t> lengths;
  for (int s = 0; s < 60; ++s) lengths.push_back(4 + static_cast<int64_t>(random() % 29));
  const std::vector<Span> spans = SpansOf(lengths, 64);
  for (int step = 0; step < 50; ++step) {
    std::vector<float> votes(60);
    for (float& vote : votes) vote = static_cast<float>(random() % 1000) / 1000;
    const Picks picked = ChooseSpans(spans, votes, 200, {}, weights);
    int64_t total = 0;
    for (size_t s = 0; s < spans.size(); ++s) total += picked[s] != 0 ? lengths[s] : 0;
    ASSERT_NEAR(static_cast<double>(total), 200, 16);
  }
}

TEST(ToRangesTest, JoinsNeighboursBehindTheSinks) {
  const std::vector<Span> spans = SpansOf({5, 6, 7, 8}, 4);  // [4,9) [9,15) [15,22) [22,30)
  using Ranges = std::vector<TokenRange>;
  EXPECT_EQ(ToRanges(spans, Picks{1, 1, 0, 1}, {0, 4}), (Ranges{{0, 15}, {22, 30}}));
  EXPECT_EQ(ToRanges(spans, Picks{0, 1, 1, 0}, {0, 4}), (Ranges{{0, 4}, {9, 22}}));
  EXPECT_EQ(ToRanges(spans, Picks{1, 0, 0, 0}, {0, 0}), (Ranges{{4, 9}}));
  EXPECT_EQ(ToRanges(spans, Picks{0, 0, 0, 0}, {0, 0}), Ranges{});
}

}  // namespace
}  // namespace ltri
