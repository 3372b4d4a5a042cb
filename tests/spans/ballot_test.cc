#include "spans/ballot.h"

#include <gtest/gtest.h>

#include <limits>

#include "spans/span_directory.h"

namespace ltri {
namespace {

TEST(KeepHighestTest, KeepsTheHighestInOrder) {
  Ballot ballot = {{7, 1.0F}, {2, 3.0F}, {9, 2.0F}, {4, 2.0F}};
  KeepHighest(ballot, 2);
  EXPECT_EQ(ballot, (Ballot{{2, 3.0F}, {4, 2.0F}}));  // of equal ones the earlier
  KeepHighest(ballot, 0);
  EXPECT_TRUE(ballot.empty());
}

TEST(KeepHighestTest, SortsWhatItNeedNotCut) {
  Ballot ballot = {{7, 1.0F}, {2, -3.0F}, {5, std::numeric_limits<float>::quiet_NaN()}};
  KeepHighest(ballot, 10);
  EXPECT_EQ(ballot, (Ballot{{2, -3.0F}, {7, 1.0F}}));
}

TEST(SpanDirectoryTest, NamesTheFirstSpanThatReachesIntoABlock) {
  SpanDirectory directory;
  const std::vector<Span> spans = {{4, 60}, {60, 64}, {64, 100}, {100, 250}, {250, 251}};
  for (const Span& span : spans) directory.Append(span);
  EXPECT_EQ(directory.First(0), 0);
  EXPECT_EQ(directory.First(1), 2);
  EXPECT_EQ(directory.First(2), 3);
  EXPECT_EQ(directory.First(3), 3);
  EXPECT_EQ(directory.First(4), 5);  // none
  directory.Truncate({spans.data(), 3});
  EXPECT_EQ(directory.First(1), 2);
  EXPECT_EQ(directory.First(2), 3);
  directory.Append({100, 129});
  EXPECT_EQ(directory.First(1), 2);
  EXPECT_EQ(directory.First(2), 3);
  directory.Truncate({});
  EXPECT_EQ(directory.First(0), 0);
}

}  // namespace
}  // namespace ltri
