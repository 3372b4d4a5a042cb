#include "cuda/device_choice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace ltri::cuda {
namespace {

// A board is exact only if what a vote gives to a token comes back to the last bit. No card is needed for that.
TEST(DeviceChoiceTest, VotesComeBackExactly) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> exponent(-30.0F, 6.0F);
  std::vector<Span> spans;
  std::vector<VoteBoard::Vote> votes;
  int64_t begin = 64;
  for (int i = 0; i < 200000; ++i) {
    const int64_t length = 1 + static_cast<int64_t>(random() % 255);
    spans.push_back({begin, begin + length});
    begin += length;
    if (random() % 3 == 0) continue;
    const float vote = std::exp2(exponent(random));
    votes.push_back({spans.back().begin, spans.back().end, vote / static_cast<float>(length)});
  }
  const std::vector<float> of = VotesOf(votes, spans);
  ASSERT_EQ(of.size(), spans.size());
  size_t at = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    const bool voted = at < votes.size() && votes[at].begin == spans[i].begin;
    const float density = of[i] / static_cast<float>(spans[i].length());
    ASSERT_EQ(density, voted ? votes[at].density : 0.0F) << i;
    if (voted) ++at;
  }
}

TEST(DeviceChoiceTest, VotesOnOtherTokensAreLeftOut) {
  const std::vector<Span> spans = {{4, 10}, {10, 30}, {30, 40}};
  const std::vector<VoteBoard::Vote> votes = {{4, 9, 1.0F}, {10, 30, 0.5F}, {35, 40, 1.0F}, {50, 60, 1.0F}};
  EXPECT_EQ(VotesOf(votes, spans), (std::vector<float>{0.0F, 10.0F, 0.0F}));
}

TEST(DeviceChoiceTest, IsSavedAsOnTheHost) {
  DeviceChoice choice;
  choice.weights = {{0, 0.5F}, {7, 2.0F}};
  choice.far = {{0, 4}, {100, 140}};
  choice.local_begin = 300;
  choice.token = 612;
  StateWriter to;
  choice.Put(&to);
  DeviceChoice().Put(&to);
  StateReader from(to.bytes());
  const DeviceChoice back = DeviceChoice::Get(&from, 8, 700);
  EXPECT_EQ(back.weights, choice.weights);
  EXPECT_EQ(back.far, choice.far);
  EXPECT_EQ(back.local_begin, 300);
  EXPECT_EQ(back.token, 612);
  EXPECT_EQ(DeviceChoice::Get(&from, 8, 700).token, -1);
  EXPECT_TRUE(from.ok() && from.at_end());
  StateReader again(to.bytes());
  DeviceChoice::Get(&again, 7, 700);  // a span that there is not
  EXPECT_FALSE(again.ok());
}

}  // namespace
}  // namespace ltri::cuda
