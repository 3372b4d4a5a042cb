#include "spans/span_cutter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "spans/test_band.h"

namespace ltri {
namespace {

constexpr int64_t kSinks = 5;

std::unique_ptr<SpanCutter> Make(const SpanCutterOptions& options) {
  auto cutter = MakeSpanCutter(options);
  if (!cutter) {
    ADD_FAILURE() << cutter.error().message;
    return nullptr;
  }
  return *std::move(cutter);
}

SpanCutterOptions Small(SpanSelector selector, bool length_normalised = false) {
  return {.selector = selector, .sinks = kSinks, .min_span = 4, .max_span = 32, .length_normalised = length_normalised};
}

rc::Gen<SpanCutterOptions> AnySelector() {
  return rc::gen::element(Small(SpanSelector::kPartition), Small(SpanSelector::kNms), Small(SpanSelector::kNms, true),
                          Small(SpanSelector::kFixed));
}

void Push(SpanCutter* cutter, const Band& band, int64_t from, int64_t to) {
  for (int64_t y = from; y < to; ++y) cutter->Push(band[static_cast<size_t>(y - kSinks)]);
}

RC_GTEST_PROP(SpanCutter, SpansFollowEachOtherFromTheSinks, (uint32_t seed)) {
  const SpanCutterOptions options = *AnySelector();
  const auto rows = *rc::gen::inRange<int64_t>(1, 500);
  const Band band = RandomBand(rows, options.max_span, seed);
  const auto cutter = Make(options);
  int64_t tail = kSinks;
  for (const auto& row : band) {
    cutter->Push(row);
    for (const Span& span : cutter->TakeCommitted()) {
      RC_ASSERT(span.begin == tail);
      RC_ASSERT(span.length() >= 1);
      RC_ASSERT(span.length() <= options.max_span);
      RC_ASSERT(span.confidence >= 0.0F);
      RC_ASSERT(span.confidence <= 1.0F);
      if (options.selector == SpanSelector::kPartition) {
        RC_ASSERT(span.length() >= options.min_span);
      }
      if (options.selector != SpanSelector::kFixed) {
        RC_ASSERT(span.end <= cutter->tokens() - options.max_span);
      }
      tail = span.end;
    }
    RC_ASSERT(cutter->tail() == tail);
    RC_ASSERT(cutter->tokens() - tail <= cutter->MaxPending());
  }
  RC_ASSERT(cutter->tokens() == kSinks + rows);
}

TEST(SpanCutter, BordersAreCommittedOnceTheLongestSpanLiesBehindThem) {
  const Band band = RandomBand(1000, 32, 1);
  const auto cutter = Make(Small(SpanSelector::kPartition));
  for (const auto& row : band) {
    const int64_t before = cutter->tail();
    cutter->Push(row);
    if (cutter->tokens() % SpanCutter::kCadence != 0) {
      EXPECT_EQ(cutter->tail(), before);
    }
    if (cutter->tokens() % SpanCutter::kCadence == 0 && cutter->tokens() > 128) {
      EXPECT_GT(cutter->tail(), cutter->tokens() - 64);
    }
  }
}

TEST(SpanCutter, ScoresAreTheTriangleScores) {
  const Band band = RandomBand(400, 32, 2);
  const auto baselines = SlowBaselines(band, 2.0);
  for (const auto selector : {SpanSelector::kPartition, SpanSelector::kNms}) {
    const auto cutter = Make(Small(selector));
    for (const auto& row : band) cutter->Push(row);
    EXPECT_GT(cutter->committed().size(), 10U);
    for (const Span& span : cutter->committed()) {
      EXPECT_NEAR(span.score, SlowScore(band, baselines, span.begin - kSinks, span.end - kSinks), 1e-2);
    }
  }
}

RC_GTEST_PROP(SpanCutter, PartitionGivesBackTheBlocksOfABlockDiagonalBand, ()) {
  const auto lengths = *rc::gen::container<std::vector<int64_t>>(60, rc::gen::inRange<int64_t>(8, 80));
  std::vector<int64_t> ends;
  for (const int64_t length : lengths) ends.push_back((ends.empty() ? 0 : ends.back()) + length);
  const auto cutter = Make({.sinks = kSinks});
  for (const auto& row : BlockBand(ends, 128)) cutter->Push(row);
  std::set<int64_t> found;
  for (const Span& span : cutter->committed()) found.insert(span.end - kSinks);
  constexpr int64_t kSettled = 512;  // before that the mean knows too little text
  std::vector<int64_t> expected;
  for (const int64_t end : ends) {
    if (end >= kSettled && end <= cutter->tail() - kSinks) expected.push_back(end);
  }
  RC_ASSERT(std::vector<int64_t>(found.lower_bound(kSettled), found.end()) == expected);
}

RC_GTEST_PROP(SpanCutter, CopiesGoOnIndependently, (uint32_t seed)) {
  const SpanCutterOptions options = *AnySelector();
  const Band band = RandomBand(500, options.max_span, seed);
  const Band other = RandomBand(500, options.max_span, seed + 1);
  const auto at = kSinks + *rc::gen::inRange<int64_t>(0, 500);
  const auto whole = Make(options);
  Push(whole.get(), band, kSinks, at);
  const auto copy = whole->Clone();
  Push(copy.get(), other, at, kSinks + 500);
  const auto second = whole->Clone();
  Push(whole.get(), band, at, kSinks + 500);
  Push(second.get(), band, at, kSinks + 500);
  RC_ASSERT(whole->committed() == second->committed());
  const auto fresh = Make(options);
  Push(fresh.get(), band, kSinks, kSinks + 500);
  RC_ASSERT(whole->committed() == fresh->committed());
}

RC_GTEST_PROP(SpanCutter, TruncateWithinTheRingIsAsIfNothingHadHappened, (uint32_t seed)) {
  const SpanCutterOptions options = *AnySelector();
  const Band band = RandomBand(700, options.max_span, seed);
  const auto cutter = Make(options);
  const auto to = kSinks + *rc::gen::inRange<int64_t>(0, 600);
  Push(cutter.get(), band, kSinks, to);
  const int64_t tail = cutter->tail();
  // Other text that is taken back before the rows since `tail` have left the ring.
  const int64_t room = cutter->MaxPending() - (to - tail);
  const auto extra = *rc::gen::inRange<int64_t>(0, room + 1);
  const Band other = RandomBand(extra + 1, options.max_span, seed + 1);
  for (int64_t i = 0; i < extra; ++i) cutter->Push(other[static_cast<size_t>(i)]);
  cutter->Truncate(to, tail);
  RC_ASSERT(cutter->tokens() == to);
  RC_ASSERT(cutter->tail() == tail);
  Push(cutter.get(), band, to, kSinks + 700);
  const auto whole = Make(options);
  Push(whole.get(), band, kSinks, kSinks + 700);
  RC_ASSERT(cutter->committed() == whole->committed());
}

RC_GTEST_PROP(SpanCutter, TruncateAnywhereLeavesAPartition, (uint32_t seed)) {
  const SpanCutterOptions options = *AnySelector();
  const Band band = RandomBand(900, options.max_span, seed);
  const auto cutter = Make(options);
  Push(cutter.get(), band, kSinks, kSinks + 700);
  const auto to = *rc::gen::inRange<int64_t>(0, kSinks + 700);
  int64_t tail = kSinks;
  for (const Span& span : cutter->committed()) {
    if (span.end <= to) tail = span.end;
  }
  cutter->Truncate(to, tail);
  Push(cutter.get(), band, cutter->tokens(), kSinks + 900);
  int64_t end = kSinks;
  for (const Span& span : cutter->committed()) {
    RC_ASSERT(span.begin == end);
    RC_ASSERT(span.length() <= options.max_span);
    end = span.end;
  }
  RC_ASSERT(end == cutter->tail());
  RC_ASSERT(cutter->tokens() - end <= cutter->MaxPending());
}

TEST(SpanCutter, FixedCutsBlocksAndNeedsNoBand) {
  const auto cutter = Make(Small(SpanSelector::kFixed));
  EXPECT_FALSE(cutter->NeedsBand());
  for (int64_t y = kSinks; y < 100; ++y) cutter->Push({});
  const auto spans = cutter->TakeCommitted();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[1], (Span{.begin = kSinks + 32, .end = kSinks + 64}));
  EXPECT_TRUE(Make(Small(SpanSelector::kPartition))->NeedsBand());
}

TEST(SpanCutter, LongStreamStaysBounded) {
  const Band band = RandomBand(1000, 128, 3);
  const auto cutter = Make({.sinks = kSinks});
  int64_t spans = 0;
  int64_t tail = kSinks;
  for (int64_t y = 0; y < 200000; ++y) {
    cutter->Push(band[static_cast<size_t>(y % 1000)]);
    ASSERT_LE(cutter->tokens() - cutter->tail(), cutter->MaxPending());
    for (const Span& span : cutter->TakeCommitted()) {
      ASSERT_EQ(span.begin, tail);
      tail = span.end;
      ++spans;
    }
  }
  EXPECT_GT(spans, 200000 / 128);
}

TEST(SpanCutter, SizesThatCannotBeCutAreRefused) {
  const auto message = [](SpanCutterOptions options) {
    const auto cutter = MakeSpanCutter(options);
    return cutter ? std::string("accepted") : cutter.error().message;
  };
  EXPECT_EQ(message({}), "accepted");
  EXPECT_NE(message({.sinks = -1}).find("sinks is -1"), std::string::npos);
  EXPECT_NE(message({.max_span = 0}).find("max_span is 0"), std::string::npos);
  EXPECT_NE(message({.max_span = 5000}).find("max_span is 5000"), std::string::npos);
  EXPECT_EQ(message({.selector = SpanSelector::kFixed, .max_span = 5000}), "accepted");
  EXPECT_NE(message({.min_span = 0}).find("min_span is 0"), std::string::npos);
  EXPECT_NE(message({.min_span = 129}).find("min_span is 129"), std::string::npos);
  EXPECT_NE(message({.kappa = -1}).find("kappa is -1"), std::string::npos);
}

TEST(SpanCutter, OptionsComeFromTheSession) {
  SessionOptions session;
  session.spans = SpanSelector::kNms;
  session.sinks = 3;
  session.min_span = 4;
  session.max_span = 50;
  session.kappa = 1.5;
  const SpanCutterOptions options = CutterOptions(session);
  EXPECT_EQ(options.selector, SpanSelector::kNms);
  EXPECT_EQ(options.sinks, 3);
  EXPECT_EQ(options.min_span, 4);
  EXPECT_EQ(options.max_span, 50);
  EXPECT_EQ(options.kappa, 1.5);
}

}  // namespace
}  // namespace ltri
