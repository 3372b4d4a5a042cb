#include "spans/followers.h"

#include <gtest/gtest.h>

#include <vector>

namespace ltri {
namespace {

// Spans of ten tokens each.
std::vector<Span> Tens(int64_t count) {
  std::vector<Span> spans;
  for (int64_t s = 0; s < count; ++s) spans.push_back({100 + s * 10, 110 + s * 10, 0, 0});
  return spans;
}

TEST(LoansTest, ASpanLendsToThoseBehindItLessWithDistance) {
  const Ballot expected = {{2, 0.8F}, {3, 0.6F}, {4, 0.4F}, {5, 0.2F}};  // 0 to 30 tokens away of a reach of 40
  const Ballot loans = Loans(Tens(9), {{1, 0.8F}}, 40);
  ASSERT_EQ(loans.size(), expected.size());
  for (size_t i = 0; i < loans.size(); ++i) {
    EXPECT_EQ(loans[i].span, expected[i].span);
    EXPECT_FLOAT_EQ(loans[i].vote, expected[i].vote);
  }
}

TEST(LoansTest, AnOwnVoteThatIsHigherNeedsNoneAndLendsInstead) {
  EXPECT_EQ(Loans(Tens(4), {{0, 0.5F}, {1, 1.0F}}, 20), (Ballot{{2, 1.0F}, {3, 0.5F}}));
}

TEST(LoansTest, AnOwnVoteThatIsLowerTakesTheLoan) {
  EXPECT_EQ(Loans(Tens(4), {{0, 1.0F}, {1, 0.25F}}, 20), (Ballot{{1, 1.0F}, {2, 0.5F}}));
}

TEST(LoansTest, TheTextEnds) { EXPECT_TRUE(Loans(Tens(3), {{2, 1.0F}}, 1000).empty()); }

TEST(LoansTest, FarVotesAreNotMixed) {
  EXPECT_EQ(Loans(Tens(100), {{3, 1.0F}, {50, 0.5F}}, 10), (Ballot{{4, 1.0F}, {51, 0.5F}}));
}

TEST(LoansTest, WhatIsNotPositiveLendsNothing) {
  EXPECT_TRUE(Loans(Tens(9), {{1, 0.0F}, {4, -1.0F}}, 40).empty());
  EXPECT_TRUE(Loans(Tens(9), {}, 40).empty());
}

}  // namespace
}  // namespace ltri
