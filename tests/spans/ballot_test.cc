#include "spans/ballot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <utility>
#include <vector>

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

TEST(KeepHighestTest, EqualsSorting) {
  std::mt19937 random(5);
  for (const int64_t count : {1, 40, 700, 3000}) {
    for (const bool in_order : {false, true}) {
      Ballot ballot;
      for (int32_t s = 0; s < count; ++s) {
        const float vote = 0.25F * (static_cast<float>(random() % 200) - 50);  // many are equal
        ballot.push_back({s, vote});
      }
      if (!in_order) std::shuffle(ballot.begin(), ballot.end(), random);
      for (const int64_t most : {1, 39, 256, 5000}) {
        Ballot expected = ballot;
        std::ranges::sort(expected, [](const SpanVote& a, const SpanVote& b) {
          return a.vote != b.vote ? a.vote > b.vote : a.span < b.span;
        });
        expected.resize(std::min(expected.size(), static_cast<size_t>(most)));
        std::ranges::sort(expected, {}, &SpanVote::span);
        Ballot kept = ballot;
        KeepHighest(kept, most);
        EXPECT_EQ(kept, expected) << count << " " << most;
      }
    }
  }
}

// What each span has of tokens [begin, end).
using Shares = std::vector<std::pair<int32_t, int64_t>>;

Shares SharesOf(const SpanDirectory& directory, int64_t begin, int64_t end) {
  Shares shares;
  directory.ForSpans(begin, end, [&](int32_t span, int64_t tokens) { shares.emplace_back(span, tokens); });
  return shares;
}

Shares SharesOf(const std::vector<Span>& spans, int64_t begin, int64_t end) {
  Shares shares;
  for (size_t s = 0; s < spans.size(); ++s) {
    const int64_t tokens = std::min(end, spans[s].end) - std::max(begin, spans[s].begin);
    if (tokens > 0) shares.emplace_back(static_cast<int32_t>(s), tokens);
  }
  return shares;
}

void ExpectSame(const SpanDirectory& directory, const std::vector<Span>& spans, int64_t end) {
  for (int64_t from = 0; from < end; from += 3) {
    for (const int64_t tokens : {1, 2, 5, 17, 63, 64, 65, 128, 400}) {
      ASSERT_EQ(SharesOf(directory, from, from + tokens), SharesOf(spans, from, from + tokens))
          << from << " " << tokens;
    }
  }
}

TEST(SpanDirectoryTest, FindsTheSpansOfTokens) {
  std::mt19937 random(3);
  for (const int64_t longest : {1, 20, 128, 300}) {
    SpanDirectory directory;
    std::vector<Span> spans;
    const auto append = [&](int64_t until) {
      int64_t begin = spans.empty() ? 4 : spans.back().end;
      while (begin < until) {
        const int64_t end = begin + 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(longest));
        spans.push_back({begin, end});
        directory.Append(spans.back());
        begin = end;
      }
    };
    append(1000);
    ExpectSame(directory, spans, 1500);
    spans.resize(spans.size() / 3);
    directory.Truncate(spans);
    ExpectSame(directory, spans, 1500);
    append(1200);
    ExpectSame(directory, spans, 1700);
    spans.clear();
    directory.Truncate(spans);
    EXPECT_TRUE(SharesOf(directory, 0, 2000).empty());
    append(300);
    ExpectSame(directory, spans, 800);
  }
}

}  // namespace
}  // namespace ltri
