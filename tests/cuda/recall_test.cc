// ltri on the card against the host: the same spans, the same choices, the same attention.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "attention/registry.h"
#include "base/thread_pool.h"
#include "cuda/card.h"
#include "cuda/device_method.h"
#include "ops/cuda/span_band.h"
#include "support/ops_reference.h"

namespace ltri::cuda {
namespace {

using testing::Operands;

class RecallTest : public CardTest {
 protected:
  void SetUp() override {
    CardTest::SetUp();
    config_.layers = 2;
    config_.heads = 4;
    config_.kv_heads = 2;
    config_.head_dim = 64;
    config_.trained_context = 600;
    config_.attention_scale = 0.125F;
    config_.rope.dims = 64;
    config_.rope.pairs = RopePairs::kHalves;
    options_.method = "ltri";
    options_.sinks = 16;
    options_.window = 320;
    options_.budget = 256;
    options_.prefill = Prefill::kStream;
  }
  void TearDown() override {
    card_.reset();
    context_.reset();
    CardTest::TearDown();
  }

  void Start() {
    ropes_ = std::make_unique<RopeTables>(config_);
    context_ = std::make_unique<DeviceContext>(config_);
    auto host = MakeMethod({&config_, ropes_.get(), nullptr}, options_);
    auto card = MakeDeviceMethod(context_.get(), options_);
    ASSERT_TRUE(host.ok()) << host.error().message;
    ASSERT_TRUE(card.ok()) << card.error().message;
    host_ = std::move(*host);
    card_ = std::move(*card);
  }

  // Keys drift from token to token and jump now and then, so that there is something to cut; queries look like keys.
  std::vector<float> Drift(int64_t count, int64_t heads, float spread) {
    const int64_t width = heads * config_.head_dim;
    std::vector<float>& state = drift_[heads];
    state.resize(static_cast<size_t>(width), 0.0F);
    std::vector<float> rows;
    for (int64_t i = 0; i < count; ++i) {
      const float keep = operands_.Int(0, 24) == 0 ? 0.1F : 0.9F;
      for (float& x : state) x = keep * x + (1 - keep) * operands_.Float(6.0F);
      for (const float x : state) rows.push_back(spread * x);
    }
    return rows;
  }

  // Both read `count` more tokens, or the last ones again; the error of the card's attention.
  double Step(int64_t count, StepKind kind) {
    const bool looks_ahead = kind == StepKind::kReread && count == 1;
    const int64_t back = kind == StepKind::kReread && !looks_ahead ? count : 0;
    const StepRange range{host_->size() - back, count, kind};
    EXPECT_TRUE(host_->BeginStep(pool_, range).ok());
    EXPECT_TRUE(card_->BeginStep(pool_, range).ok());
    double worst = 0;
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      const std::vector<float> k = Drift(count, config_.kv_heads, 1.0F);
      const std::vector<float> q = Drift(count, config_.heads, 2.0F);
      const std::vector<float> v = operands_.Floats(count * config_.kv_heads * config_.head_dim);
      std::vector<float> expected(q.size());
      std::vector<float> got(q.size(), NAN);
      EXPECT_TRUE(host_->Attend(pool_, layer, q.data(), k.data(), v.data(), expected.data()).ok());
      EXPECT_TRUE(card_->Attend(pool_, layer, q.data(), k.data(), v.data(), got.data()).ok());
      worst = std::max(worst, RelativeError(got, expected));
    }
    EXPECT_TRUE(host_->EndStep(pool_).ok());
    EXPECT_TRUE(card_->EndStep(pool_).ok());
    return worst;
  }

  // The part of the card's span ends that the host cut too. The card's newest bands are still on their way.
  double SpansInCommon(int64_t layer) const {
    std::set<int64_t> ends;
    for (const Span& span : host_->Spans(layer)) ends.insert(span.end);
    int64_t common = 0;
    const std::vector<Span> cut = card_->Spans(layer);
    for (const Span& span : cut) common += static_cast<int64_t>(ends.count(span.end));
    return static_cast<double>(common) / static_cast<double>(cut.size());
  }

  // The part of the tokens that the host sees of a layer that the card sees too.
  double TokensInCommon(int64_t layer) const {
    std::set<int64_t> seen;
    for (const TokenRange& range : host_->Visible(layer, 0)) {
      for (int64_t t = range.begin; t < range.end; ++t) seen.insert(t);
    }
    int64_t common = 0;
    int64_t all = 0;
    for (const TokenRange& range : card_->Visible(layer, 0)) {
      all += range.count();
      for (int64_t t = range.begin; t < range.end; ++t) common += static_cast<int64_t>(seen.count(t));
    }
    return static_cast<double>(common) / static_cast<double>(std::max<int64_t>(all, static_cast<int64_t>(seen.size())));
  }

  ModelConfig config_;
  SessionOptions options_;
  std::unique_ptr<RopeTables> ropes_;
  std::unique_ptr<DeviceContext> context_;
  std::unique_ptr<Method> host_, card_;
  ThreadPool pool_{2};
  Operands operands_{23};
  std::map<int64_t, std::vector<float>> drift_;
};

TEST_F(RecallTest, CutsAndChoosesAsOnTheHost) {
  Start();
  for (int i = 0; i < 12; ++i) Step(128, StepKind::kPrompt);
  Step(100, StepKind::kPromptEnd);
  for (int64_t layer = 0; layer < 2; ++layer) {
    EXPECT_GT(card_->Spans(layer).size(), host_->Spans(layer).size() * 9 / 10);
    // Borders where two are about as good may differ by rounding.
    EXPECT_GT(SpansInCommon(layer), 0.9) << host_->Spans(layer).size() << " and " << card_->Spans(layer).size();
    EXPECT_GT(TokensInCommon(layer), 0.9) << layer;
  }
  for (int i = 0; i < 20; ++i) Step(1, StepKind::kDecode);
  for (int64_t layer = 0; layer < 2; ++layer) EXPECT_GT(TokensInCommon(layer), 0.85) << layer;
}

// Where the two say that an answer comes from.
TEST_F(RecallTest, RecallsWhatTheHostDoes) {
  Start();
  for (int i = 0; i < 12; ++i) Step(128, StepKind::kPrompt);
  EXPECT_FALSE(card_->Recalled().empty());
  Step(100, StepKind::kPromptEnd);
  for (int i = 0; i < 20; ++i) Step(1, StepKind::kDecode);
  const std::vector<RecallShare> host = host_->Recalled();
  const std::vector<RecallShare> card = card_->Recalled();
  ASSERT_FALSE(host.empty());
  ASSERT_FALSE(card.empty());
  const auto share_of = [](const std::vector<RecallShare>& shares, const RecallShare& of) {
    double share = 0;
    for (const RecallShare& part : shares) {
      const int64_t common = std::min(part.end, of.end) - std::max(part.begin, of.begin);
      if (common > 0) share += part.share * static_cast<double>(common) / static_cast<double>(part.end - part.begin);
    }
    return share;
  };
  EXPECT_NEAR(share_of(card, host.front()), host.front().share, 0.25 * host.front().share);
}

// Sliding-window layers neither vote nor choose; heads of 256 dimensions have kernels of their own.
TEST_F(RecallTest, CutsAndChoosesBesideSlidingLayers) {
  config_.layers = 4;
  config_.head_dim = 256;
  config_.attention_scale = 0.0625F;
  config_.rope.dims = 256;
  config_.local_rope = config_.rope;
  config_.local_rope.base = 1000.0F;
  config_.sliding_window = 100;
  config_.is_sliding = {true, false, true, false};
  Start();
  for (int i = 0; i < 12; ++i) Step(128, StepKind::kPrompt);
  Step(100, StepKind::kPromptEnd);
  for (const int64_t layer : {1, 3}) {
    EXPECT_GT(card_->Spans(layer).size(), host_->Spans(layer).size() * 9 / 10);
    EXPECT_GT(SpansInCommon(layer), 0.9) << host_->Spans(layer).size() << " and " << card_->Spans(layer).size();
    EXPECT_GT(TokensInCommon(layer), 0.9) << layer;
  }
  for (int i = 0; i < 20; ++i) Step(1, StepKind::kDecode);
  for (const int64_t layer : {1, 3}) EXPECT_GT(TokensInCommon(layer), 0.85) << layer;
  for (const int64_t layer : {0, 2}) {
    EXPECT_TRUE(card_->Spans(layer).empty());
    EXPECT_EQ(card_->Visible(layer, 0), host_->Visible(layer, 0));
  }
}

TEST_F(RecallTest, AttendsBesideSlidingLayers) {
  config_.layers = 3;
  config_.sliding_window = 100;
  config_.is_sliding = {false, true, true};
  config_.local_rope = config_.rope;
  config_.local_rope.base = 1000.0F;
  options_.budget = 4096;
  for (const Prefill prefill : {Prefill::kStream, Prefill::kDense}) {
    options_.prefill = prefill;
    Start();
    for (int i = 0; i < 9; ++i) EXPECT_LT(Step(128, StepKind::kPrompt), 6e-3) << i;
    EXPECT_LT(Step(90, StepKind::kPromptEnd), 6e-3);
    for (int i = 0; i < 12; ++i) EXPECT_LT(Step(1, StepKind::kDecode), 6e-3) << i;
    ASSERT_TRUE(card_->Truncate(900));
    ASSERT_TRUE(host_->Truncate(900));
    EXPECT_LT(Step(70, StepKind::kPrompt), 6e-3);
    EXPECT_LT(Step(1, StepKind::kDecode), 6e-3);
    card_.reset();
  }
}

// A prompt that was read densely: its end is read again with what the answer sees, and the last token is looked at
// ahead of its own step.
TEST_F(RecallTest, ReadsAPromptsEndAgainAfterDenseReading) {
  options_.prefill = Prefill::kDense;
  for (const int64_t budget : {256, 4096}) {
    options_.budget = budget;
    Start();
    for (int i = 0; i < 9; ++i) EXPECT_LT(Step(128, StepKind::kPrompt), 6e-3) << i;
    EXPECT_LT(Step(100, StepKind::kPromptEnd), 6e-3);
    EXPECT_FALSE(card_->SeesAll(card_->size()));
    EXPECT_EQ(card_->SecondReading(), host_->SecondReading());
    for (int i = 0; i < 2; ++i) {
      const double error = Step(card_->SecondReading(), StepKind::kReread);
      // With room for all, both see the same; else choices may differ where two spans are about as good.
      if (budget > card_->size()) {
        EXPECT_LT(error, 6e-3) << i;
      }
      for (int64_t layer = 0; layer < 2; ++layer) EXPECT_GT(TokensInCommon(layer), 0.9) << i << ", layer " << layer;
    }
    const double ahead = Step(1, StepKind::kReread);
    if (budget > card_->size()) {
      EXPECT_LT(ahead, 6e-3);
    }
    EXPECT_EQ(card_->size(), host_->size());
    for (int i = 0; i < 12; ++i) {
      const double error = Step(1, StepKind::kDecode);
      if (budget > card_->size()) {
        EXPECT_LT(error, 6e-3) << i;
      }
    }
    for (int64_t layer = 0; layer < 2; ++layer) EXPECT_GT(TokensInCommon(layer), 0.85) << layer;
    card_.reset();
  }
}

// Some heads of one layer vote, none of the other.
TEST_F(RecallTest, ChoosesByTheHeadsOfTheTableAsOnTheHost) {
  options_.vote_weights = VoteWeights::kHeadTable;
  options_.head_table = {0, 0, 0, 0, 0, 0.4F, 0, 0.9F};
  for (const std::vector<float>& table : {options_.head_table, {0.5F, 0, 0, 0.2F, 0, 0, 0, 0}}) {
    options_.head_table = table;
    Start();
    for (int i = 0; i < 12; ++i) Step(128, StepKind::kPrompt);
    Step(100, StepKind::kPromptEnd);
    for (int64_t layer = 0; layer < 2; ++layer) EXPECT_GT(TokensInCommon(layer), 0.9) << layer;
    for (int i = 0; i < 20; ++i) Step(1, StepKind::kDecode);
    for (int64_t layer = 0; layer < 2; ++layer) EXPECT_GT(TokensInCommon(layer), 0.85) << layer;
    card_.reset();
  }
}

// The band against plain loops over the same tiles.
TEST_F(RecallTest, BandIsTheSumOfProbabilities) {
  const HeadShape shape{4, 2, 64, 1, 0.125F};
  constexpr int64_t kQueries = 150;
  const LayerView view{40, 500, 40, 800, 0};
  constexpr int64_t kKeys = 40 + 300;
  const auto draw = [&](int64_t heads, int64_t rows) {
    return operands_.Halves(heads * TileBytes(shape, rows) / 2, 1.5F);
  };
  const std::vector<Half> q = draw(4, kQueries);
  const std::vector<Half> keys = draw(2, kKeys);
  const auto at = [&](const std::vector<Half>& tiles, int64_t rows, int64_t head, int64_t row, int64_t dim) {
    const int64_t chunk = (dim / 8) ^ (row & 7);
    return FloatFromHalf(
        tiles[static_cast<size_t>(head * TileBytes(shape, rows) / 2 + row * 64 + chunk * 8 + dim % 8)]);
  };
  const auto score = [&](int64_t head, int64_t query, int64_t key) {
    double dot = 0;
    for (int64_t d = 0; d < 64; ++d) {
      dot +=
          static_cast<double>(at(q, kQueries, head, query, d)) * static_cast<double>(at(keys, kKeys, head / 2, key, d));
    }
    return dot * 0.125;
  };
  std::vector<double> expected(kQueries * kBandWidth, 0.0);
  for (int64_t head = 0; head < 4; ++head) {
    for (int64_t i = 0; i < kQueries; ++i) {
      const int64_t own = kKeys - kQueries + i;
      double sum = 0;
      for (int64_t key = 0; key <= own; ++key) sum += std::exp(score(head, i, key));
      for (int64_t lag = 1; lag <= std::min<int64_t>(kBandWidth, own - 40); ++lag) {
        expected[static_cast<size_t>(i * kBandWidth + lag - 1)] += std::exp(score(head, i, own - lag)) / sum;
      }
    }
  }
  const Buffer q_card = ToCard(q);
  const Buffer keys_card = ToCard(keys);
  const Buffer views = ToCard(std::vector<LayerView>{view});
  SequenceRef ref;
  ref.views = views.as<LayerView>();
  const Buffer sequence = ToCard(std::vector<SequenceRef>{ref});
  const Buffer out(kQueries * 4 * 64 * 2);
  const Buffer lse(4 * kQueries * 4);
  const Buffer parts(2 * kQueries * kBandWidth * 4);
  const Buffer band(kQueries * kBandWidth * 4);
  const AttendBlockArgs args{shape,
                             sequence.as<SequenceRef>(),
                             0,
                             kQueries,
                             kKeys,
                             q_card.as<void>(),
                             keys_card.as<void>(),
                             keys_card.as<void>(),
                             Float16::kHalf,
                             out.as<void>(),
                             lse.as<float>()};
  AttendBlock(stream_, args);
  SpanBand(stream_, args, parts.as<float>(), band.as<float>());
  EXPECT_LT(RelativeError(FromCard<float>(band, kQueries * kBandWidth), expected), 2e-3);
}

TEST_F(RecallTest, AttendsToAllThatTheBudgetHolds) {
  for (const Positions positions : {Positions::kTrue, Positions::kCompact}) {
    options_.positions = positions;
    options_.budget = 4096;
    Start();
    for (int i = 0; i < 9; ++i) EXPECT_LT(Step(128, StepKind::kPrompt), 6e-3) << i;
    EXPECT_LT(Step(90, StepKind::kPromptEnd), 6e-3);
    for (int i = 0; i < 12; ++i) EXPECT_LT(Step(1, StepKind::kDecode), 6e-3) << i;
  }
}

// What moved to the host is read from there, and from copies on the card while a text is decoded.
TEST_F(RecallTest, SeesWhatMovedToTheHost) {
  Start();
  DeviceContext small(config_, 5 * context_->pool.block_bytes());
  host_ = std::move(card_);
  auto made = MakeDeviceMethod(&small, options_);
  ASSERT_TRUE(made.ok());
  card_ = std::move(*made);
  for (int i = 0; i < 12; ++i) EXPECT_LT(Step(128, StepKind::kPrompt), 1e-5) << i;
  EXPECT_LT(Step(90, StepKind::kPromptEnd), 1e-5);
  for (int i = 0; i < 20; ++i) EXPECT_LT(Step(1, StepKind::kDecode), 1e-5) << i;
  card_ = card_->Fork();
  for (int i = 0; i < 10; ++i) EXPECT_LT(Step(1, StepKind::kDecode), 1e-5) << i;
  EXPECT_EQ(card_->Visible(1, 0), host_->Visible(1, 0));
  card_.reset();
  host_.reset();
}

// Both see and choose the same from there on, while each writes into blocks of its own.
TEST_F(RecallTest, AForkDecodesAsItsOriginal) {
  Start();
  for (int i = 0; i < 12; ++i) Step(128, StepKind::kPrompt);
  Step(90, StepKind::kPromptEnd);
  for (int i = 0; i < 5; ++i) Step(1, StepKind::kDecode);
  host_ = std::move(card_);
  card_ = host_->Fork();
  for (int i = 0; i < 20; ++i) EXPECT_LT(Step(1, StepKind::kDecode), 1e-5) << i;
  for (int64_t layer = 0; layer < 2; ++layer) EXPECT_EQ(card_->Visible(layer, 0), host_->Visible(layer, 0)) << layer;
  host_.reset();
}

TEST_F(RecallTest, GoesOnAfterFallingBack) {
  options_.budget = 4096;
  options_.positions = Positions::kTrue;
  Start();
  for (int i = 0; i < 8; ++i) Step(128, StepKind::kPrompt);
  const std::unique_ptr<Method> other = card_->Fork();
  ASSERT_TRUE(host_->Truncate(900));
  ASSERT_TRUE(card_->Truncate(900));
  EXPECT_LT(Step(128, StepKind::kPrompt), 6e-3);
  EXPECT_LT(Step(1, StepKind::kDecode), 6e-3);
  card_ = other->Fork();
  EXPECT_EQ(card_->size(), 1024);
}

TEST_F(RecallTest, RefusesWhatTheCardDoesNot) {
  context_ = std::make_unique<DeviceContext>(config_);
  options_.sharing = Sharing::kHead;
  const auto made = MakeDeviceMethod(context_.get(), options_);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("sharing"), std::string::npos);
}

}  // namespace
}  // namespace ltri::cuda
