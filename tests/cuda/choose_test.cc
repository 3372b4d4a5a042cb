// The choice of spans on the card against plain loops over sorted spans.
#include "ops/cuda/choose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cuda/card.h"
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

using ChooseTest = CardTest;

TEST_F(ChooseTest, FillsTheBudgetAsSortingWould) {
  for (const int64_t count : {1, 40, 900, 20000, 70000}) {
    for (const int32_t share : {0, 1024}) {
      const Spans spans = Draw(count);
      const Buffer number = ToCard(std::vector<int32_t>{static_cast<int32_t>(count)});
      const Buffer borders = ToCard(spans.borders);
      const Buffer votes = ToCard(spans.votes);
      const Buffer weights = ToCard(spans.weights);
      const Buffer picked(count);
      const Buffer rows((16 + 4096 + 128) * 4);
      const Buffer view = ToCard(std::vector<LayerView>(1));
      ChooseArgs args;
      args.index.spans = number.as<int32_t>();
      args.index.borders = borders.as<int32_t>();
      args.votes = votes.as<float>();
      args.weights = weights.as<float>();
      args.picked = picked.as<uint8_t>();
      args.budget = 4096;
      args.share = share;
      args.decay = 0.5F;
      args.sinks = 16;
      args.rows = rows.as<int32_t>();
      args.view = view.as<LayerView>();
      ChooseSpans(stream_, args);
      const std::vector<int32_t> expected = Expected(spans, args);
      const LayerView seen = FromCard<LayerView>(view, 1)[0];
      EXPECT_EQ(seen.local_begin, spans.borders.back()) << count;
      ASSERT_EQ(seen.far, static_cast<int32_t>(expected.size())) << count << " spans, share " << share;
      EXPECT_EQ(FromCard<int32_t>(rows, seen.far), expected) << count << " spans, share " << share;
      const std::vector<float> kept = FromCard<float>(weights, count);
      EXPECT_NEAR(kept[0], 0.5F * spans.weights[0] + spans.votes[0], 1e-6);
    }
  }
}

}  // namespace
}  // namespace ltri::cuda
