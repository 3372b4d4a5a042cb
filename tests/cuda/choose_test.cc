// The choice of spans on the card against plain loops over sorted spans.
#include "ops/cuda/choose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cuda/card.h"
#include "spans/followers.h"
#include "support/ops_reference.h"

namespace ltri::cuda {
namespace {

using testing::Operands;

struct Spans {
  std::vector<int32_t> borders;
  std::vector<float> votes;
  std::vector<float> weights;

  int64_t count() const { return static_cast<int64_t>(votes.size()); }
  int32_t Length(size_t span) const { return borders[span + 1] - borders[span]; }
};

Spans Draw(int64_t count) {
  Operands operands(41);
  Spans spans;
  spans.borders.push_back(16);
  for (int64_t i = 0; i < count; ++i) {
    spans.borders.push_back(spans.borders.back() + static_cast<int32_t>(operands.Int(4, 40)));
    // Most are of no interest.
    spans.votes.push_back(i % 3 == 0 ? std::abs(operands.Float(1.0F)) : 0.0F);
    spans.weights.push_back(i % 7 == 0 ? std::abs(operands.Float(1.0F)) : 0.0F);
  }
  return spans;
}

// The spans of the highest scores that fit, and the one that crosses if the total is nearer then.
int32_t TakeHighest(const Spans& spans, const std::vector<float>& scores, int32_t share, std::vector<bool>& picked) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  int32_t left = share;
  for (const size_t span : order) {
    if (picked[span] || scores[span] <= 0) continue;
    const int32_t length = spans.Length(span);
    if (length > left && length - left > left) break;
    const bool crosses = length > left;
    picked[span] = true;
    left -= length;
    if (crosses) break;
  }
  return left;
}

std::vector<int32_t> Expected(const Spans& spans, const ChooseArgs& args) {
  std::vector<bool> picked(spans.votes.size(), false);
  int32_t left = args.budget;
  if (args.share > 0) left -= args.share - TakeHighest(spans, spans.weights, args.share, picked);
  if (args.reach > 0) {
    std::vector<Span> ranges;
    Ballot ballot;
    for (size_t s = 0; s < picked.size(); ++s) {
      ranges.push_back({spans.borders[s], spans.borders[s + 1]});
      if (spans.votes[s] > 0) ballot.push_back({static_cast<int32_t>(s), spans.votes[s]});
    }
    std::vector<float> loans(picked.size(), 0.0F);
    for (const SpanVote& loan : Loans(ranges, ballot, args.reach)) loans[static_cast<size_t>(loan.span)] = loan.vote;
    left = args.lent + TakeHighest(spans, spans.votes, left - args.lent, picked);
    left = TakeHighest(spans, loans, left, picked);
  }
  left = TakeHighest(spans, spans.votes, left, picked);
  for (size_t span = spans.votes.size(); span-- > 0;) {
    if (picked[span]) continue;
    if (spans.Length(span) > left) break;
    picked[span] = true;
    left -= spans.Length(span);
  }
  std::vector<int32_t> rows(static_cast<size_t>(args.sinks));
  std::iota(rows.begin(), rows.end(), 0);
  for (size_t span = 0; span < picked.size(); ++span) {
    for (int32_t t = spans.borders[span]; picked[span] && t < spans.borders[span + 1]; ++t) rows.push_back(t);
  }
  return rows;
}

struct Setting {
  int64_t count;
  int32_t share;
  int32_t reach;
  int64_t copies;  // the same choice so often at once
};

class ChooseTest : public CardTestOf<::testing::TestWithParam<Setting>> {};

TEST_P(ChooseTest, FillsTheBudgetAsSortingWould) {
  const auto [count, share, reach, copies] = GetParam();
  const Spans spans = Draw(count);
  const Buffer number = ToCard(std::vector<int32_t>{static_cast<int32_t>(count)});
  const Buffer borders = ToCard(spans.borders);
  const Buffer votes = ToCard(spans.votes);
  std::vector<Buffer> buffers;
  std::vector<ChooseArgs> all;
  for (int64_t i = 0; i < copies; ++i) {
    ChooseArgs args;
    args.index.spans = number.as<int32_t>();
    args.index.borders = borders.as<int32_t>();
    args.most_spans = count;
    args.votes = votes.as<float>();
    args.weights = buffers.emplace_back(ToCard(spans.weights)).as<float>();
    args.loans = buffers.emplace_back(count * 4).as<float>();
    args.taken = buffers.emplace_back(count * 4).as<float>();
    args.budget = 4096;
    args.share = share;
    args.lent = 600;
    args.reach = reach;
    args.decay = 0.5F;
    args.sinks = 16;
    args.rows = buffers.emplace_back((16 + 4096 + 128) * 4).as<int32_t>();
    args.view = buffers.emplace_back(ToCard(std::vector<LayerView>(1))).as<LayerView>();
    all.push_back(args);
  }
  ChooseSpans(stream_, all);
  const std::vector<int32_t> expected = Expected(spans, all[0]);
  for (size_t i = 0; i < buffers.size(); i += 5) {
    const LayerView seen = FromCard<LayerView>(buffers[i + 4], 1)[0];
    EXPECT_EQ(seen.local_begin, spans.borders.back());
    ASSERT_EQ(seen.far, static_cast<int32_t>(expected.size()));
    EXPECT_EQ(FromCard<int32_t>(buffers[i + 3], seen.far), expected);
    const std::vector<float> kept = FromCard<float>(buffers[i], count);
    EXPECT_NEAR(kept[0], 0.5F * spans.weights[0] + spans.votes[0], 1e-6);
  }
}

// One block of threads and a cluster, spans in shared memory and not.
INSTANTIATE_TEST_SUITE_P(Counts, ChooseTest,
                         ::testing::Values(Setting{1, 0, 0, 1}, Setting{1, 1024, 64, 1}, Setting{40, 1024, 64, 1},
                                           Setting{900, 1024, 64, 1}, Setting{900, 0, 64, 20},
                                           Setting{3300, 1024, 64, 2}, Setting{12000, 1024, 64, 3},
                                           Setting{12000, 1024, 0, 1}, Setting{70000, 1024, 64, 1},
                                           Setting{70000, 0, 0, 2}, Setting{200000, 1024, 64, 1}),
                         [](const auto& instance) {
                           const Setting& s = instance.param;
                           return "Of" + std::to_string(s.count) + "Share" + std::to_string(s.share) + "Reach" +
                                  std::to_string(s.reach) + "Times" + std::to_string(s.copies);
                         });

// Scores that begin alike are put in order by all of their bits.
TEST_F(CardTest, ChoosesAmongScoresThatAreNearlyEqual) {
  Spans spans = Draw(9000);
  for (size_t i = 0; i < spans.votes.size(); ++i) {
    spans.votes[i] = 1.0F + static_cast<float>(i * 7919 % 9000) * 1.2e-7F;
    spans.weights[i] = 0;
  }
  const Buffer number = ToCard(std::vector<int32_t>{9000});
  const Buffer borders = ToCard(spans.borders);
  const Buffer votes = ToCard(spans.votes);
  const Buffer weights = ToCard(spans.weights);
  const Buffer loans(9000 * 4);
  const Buffer taken(9000 * 4);
  const Buffer rows((16 + 4096 + 128) * 4);
  const Buffer view = ToCard(std::vector<LayerView>(1));
  ChooseArgs args;
  args.index.spans = number.as<int32_t>();
  args.index.borders = borders.as<int32_t>();
  args.most_spans = 9000;
  args.votes = votes.as<float>();
  args.weights = weights.as<float>();
  args.loans = loans.as<float>();
  args.taken = taken.as<float>();
  args.budget = 4096;
  args.sinks = 16;
  args.rows = rows.as<int32_t>();
  args.view = view.as<LayerView>();
  ChooseSpans(stream_, {&args, 1});
  const std::vector<int32_t> expected = Expected(spans, args);
  ASSERT_EQ(FromCard<LayerView>(view, 1)[0].far, static_cast<int32_t>(expected.size()));
  EXPECT_EQ(FromCard<int32_t>(rows, static_cast<int64_t>(expected.size())), expected);
}

}  // namespace
}  // namespace ltri::cuda
