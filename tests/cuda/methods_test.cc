// Methods on the card against those on the host, step by step with the same queries, keys and values.
#include <gtest/gtest.h>

#include <cmath>

#include "attention/registry.h"
#include "base/thread_pool.h"
#include "cuda/card.h"
#include "cuda/device_method.h"
#include "support/ops_reference.h"

namespace ltri::cuda {
namespace {

using testing::Operands;

struct Case {
  const char* name;
  const char* method;
  int64_t head_dim;
  int64_t heads;
  int64_t kv_heads;
  Positions positions = Positions::kAuto;
  int64_t blocks_on_card = 0;  // 0: all
  int64_t turned = 0;          // dimensions that turn; 0: all
  int64_t sliding_window = 0;  // of the first layer
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

class MethodsTest : public CardTestOf<::testing::TestWithParam<Case>> {
 protected:
  void SetUp() override {
    CardTestOf<::testing::TestWithParam<Case>>::SetUp();
    if (IsSkipped()) return;
    config_.layers = 2;
    config_.heads = GetParam().heads;
    config_.kv_heads = GetParam().kv_heads;
    config_.head_dim = GetParam().head_dim;
    config_.trained_context = 600;
    config_.attention_scale = 1.0F / std::sqrt(static_cast<float>(config_.head_dim));
    config_.rope.dims = GetParam().turned > 0 ? GetParam().turned : config_.head_dim;
    config_.rope.pairs = RopePairs::kHalves;
    if (GetParam().turned > 0) config_.rope.magnitude = 1.1F;
    config_.local_rope = config_.rope;
    config_.local_rope.base = 1000.0F;
    config_.sliding_window = GetParam().sliding_window;
    if (config_.sliding_window > 0) config_.is_sliding = {true, false};
    ropes_ = std::make_unique<RopeTables>(config_);
    const HeadShape shape{0, static_cast<int32_t>(config_.kv_heads),
                          static_cast<int32_t>(CardHeadDim(config_.head_dim)), 2, 1.0F};
    context_ = std::make_unique<DeviceContext>(config_, GetParam().blocks_on_card * shape.BlockHalves() * 2);
    SessionOptions options;
    options.method = GetParam().method;
    options.positions = GetParam().positions;
    options.sinks = 20;
    options.window = 300;
    auto host = MakeMethod({&config_, ropes_.get(), nullptr}, options);
    auto card = MakeDeviceMethod(context_.get(), options);
    ASSERT_TRUE(host.ok() && card.ok());
    host_ = std::move(*host);
    card_ = std::move(*card);
  }
  void TearDown() override {
    card_.reset();
    context_.reset();
    CardTestOf<::testing::TestWithParam<Case>>::TearDown();
  }

  // Both read `count` more tokens; the error of the card's attention.
  double Step(int64_t count, StepKind kind) {
    const StepRange range{host_->size(), count, kind};
    EXPECT_TRUE(host_->BeginStep(pool_, range).ok());
    EXPECT_TRUE(card_->BeginStep(pool_, range).ok());
    double worst = 0;
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      const std::vector<float> q = operands_.Floats(count * config_.heads * config_.head_dim, 3.0F);
      const std::vector<float> k = operands_.Floats(count * config_.kv_heads * config_.head_dim, 2.0F);
      const std::vector<float> v = operands_.Floats(count * config_.kv_heads * config_.head_dim);
      std::vector<float> expected(q.size());
      std::vector<float> got(q.size(), NAN);
      EXPECT_TRUE(host_->Attend(pool_, layer, q.data(), k.data(), v.data(), expected.data()).ok());
      EXPECT_TRUE(card_->Attend(pool_, layer, q.data(), k.data(), v.data(), got.data()).ok());
      worst = std::max(worst, RelativeError(got, expected));
    }
    EXPECT_TRUE(host_->EndStep(pool_).ok());
    EXPECT_TRUE(card_->EndStep(pool_).ok());
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      EXPECT_EQ(card_->Visible(layer, 0), host_->Visible(layer, 0)) << layer;
    }
    return worst;
  }

  ModelConfig config_;
  std::unique_ptr<RopeTables> ropes_;
  std::unique_ptr<DeviceContext> context_;
  std::unique_ptr<Method> host_, card_;
  ThreadPool pool_{2};
  Operands operands_{17};
};

TEST_P(MethodsTest, AttendsAsOnTheHost) {
  for (const int64_t count : {7, 130, 128, 256, 500, 64}) {
    EXPECT_LT(Step(count, StepKind::kPrompt), 5e-3) << count << " tokens behind " << host_->size();
  }
  for (int i = 0; i < 70; ++i) EXPECT_LT(Step(1, StepKind::kDecode), 5e-3) << "decoding token " << host_->size();
}

TEST_P(MethodsTest, FirstTokenIsDecoded) {
  for (int i = 0; i < 3; ++i) EXPECT_LT(Step(1, StepKind::kDecode), 5e-3);
}

TEST_P(MethodsTest, ForksAndTruncatesAsOnTheHost) {
  Step(300, StepKind::kPrompt);
  const std::unique_ptr<Method> other = card_->Fork();
  Step(40, StepKind::kPrompt);
  EXPECT_EQ(other->size(), 300);
  const bool kept = host_->Truncate(290);  // streaming dropped too much
  const bool kept_on_card = card_->Truncate(290);
  // Blocks of the card hold all layers: a wide sliding window may keep what the host dropped.
  ASSERT_TRUE(kept_on_card || !kept);
  if (kept_on_card != kept) return;
  EXPECT_EQ(card_->size(), host_->size());
  EXPECT_LT(Step(33, StepKind::kPrompt), 5e-3);
  EXPECT_LT(Step(1, StepKind::kDecode), 5e-3);
  EXPECT_EQ(other->size(), 300);
}

INSTANTIATE_TEST_SUITE_P(
    All, MethodsTest,
    ::testing::Values(Case{"dense128", "dense", 128, 8, 2}, Case{"dense64", "dense", 64, 9, 3},
                      Case{"denseFromTheHost", "dense", 128, 8, 2, Positions::kAuto, 3},
                      Case{"streaming128", "streaming", 128, 8, 2}, Case{"streaming64", "streaming", 64, 4, 4},
                      Case{"dense256", "dense", 256, 4, 1}, Case{"dense256Many", "dense", 256, 16, 1},
                      Case{"streaming256", "streaming", 256, 4, 2}, Case{"dense96", "dense", 96, 4, 2},
                      Case{"dense96Part", "dense", 96, 4, 2, Positions::kAuto, 0, 72},
                      Case{"dense128Part", "dense", 128, 4, 2, Positions::kAuto, 0, 64},
                      Case{"window64", "dense", 64, 4, 2, Positions::kAuto, 0, 0, 150},
                      Case{"window128", "dense", 128, 8, 2, Positions::kAuto, 0, 0, 70},
                      Case{"window256", "dense", 256, 4, 1, Positions::kAuto, 0, 0, 200},
                      Case{"window1", "dense", 64, 4, 2, Positions::kAuto, 0, 0, 1},
                      Case{"windowStreaming", "streaming", 128, 4, 2, Positions::kAuto, 0, 0, 400}),
    [](const auto& instance) { return std::string(instance.param.name); });

// The kernels for warps and for warp groups give the same.
TEST_F(CardTest, BlockKernelsAgree) {
  if (!HasWarpGroups()) GTEST_SKIP() << "skipped: no warp groups in this build or on this card";
  for (const auto& [head_dim, window] : {std::pair{64, 0}, {128, 0}, {64, 500}, {128, 77}}) {
    const HeadShape shape{6, 2, head_dim, 1, 0.1F};
    constexpr int64_t kQueries = 333;
    constexpr int64_t kKeys = 1500;
    LayerView view{100, 600, 100, 2000, 0};
    view.window = window;
    const Buffer q(shape.heads * TileBytes(shape, kQueries));
    const Buffer keys(shape.kv_heads * TileBytes(shape, kKeys));
    const Buffer values(shape.kv_heads * TileBytes(shape, kKeys));
    FillRandom(stream_, 1, 1.0F, q.bytes() / 2, Float16::kHalf, q.as<void>());
    FillRandom(stream_, 1ULL << 40, 1.0F, keys.bytes() / 2, Float16::kHalf, keys.as<void>());
    FillRandom(stream_, 2ULL << 40, 1.0F, values.bytes() / 2, Float16::kHalf, values.as<void>());
    const Buffer views = ToCard(std::vector<LayerView>{view});
    SequenceRef ref;
    ref.views = views.as<LayerView>();
    const Buffer sequence = ToCard(std::vector<SequenceRef>{ref});
    const int64_t count = kQueries * shape.heads * head_dim;
    std::vector<float> outs[2];
    std::vector<float> sums[2];
    for (int kernel = 0; kernel < 2; ++kernel) {
      const Buffer out(count * 2);
      const Buffer lse(shape.heads * kQueries * 4);
      AttendBlockArgs args{shape,
                           sequence.as<SequenceRef>(),
                           0,
                           kQueries,
                           kKeys,
                           q.as<void>(),
                           keys.as<void>(),
                           values.as<void>(),
                           Float16::kHalf,
                           out.as<void>(),
                           lse.as<float>()};
      kernel == 0 ? AttendBlockByWarps(stream_, args) : AttendBlockByWarpGroups(stream_, args);
      for (const Half half : FromCard<Half>(out, count)) outs[kernel].push_back(FloatFromHalf(half));
      sums[kernel] = FromCard<float>(lse, shape.heads * kQueries);
    }
    EXPECT_LT(RelativeError(outs[1], outs[0]), 2e-3) << head_dim << ", window " << window;
    EXPECT_LT(RelativeError(sums[1], sums[0]), 1e-4) << head_dim << ", window " << window;
  }
}

}  // namespace
}  // namespace ltri::cuda
