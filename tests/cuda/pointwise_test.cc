// The operations between products on the card against plain loops.
#include "ops/cuda/pointwise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cuda/card.h"
#include "cuda/packed_weights.h"
#include "ops/convert.h"
#include "ops/cuda/pack.h"
#include "ops/rope.h"

namespace ltri::cuda {
namespace {

using testing::GatedReference;
using testing::Operands;
using testing::RmsNormReference;

class PointwiseTest : public CardTest {
 protected:
  std::vector<float> Floats(const Buffer& halves, int64_t count) {
    const std::vector<Half> values = FromCard<Half>(halves, count);
    std::vector<float> floats(values.size());
    HalfToFloat(values.data(), count, floats.data());
    return floats;
  }
};

TEST_F(PointwiseTest, RmsNorm) {
  constexpr int64_t kRows = 9;
  constexpr int64_t kWidth = 576;
  Operands operands(1);
  const std::vector<float> x = operands.Floats(kRows * kWidth, 5.0F);
  const std::vector<float> weight = operands.Floats(kWidth);
  const Buffer x_card = ToCard(x);
  const Buffer weight_card = ToCard(weight);
  const Buffer y(kRows * kWidth * 2);
  cuda::RmsNorm(stream_, x_card.as<float>(), weight_card.as<float>(), kRows, kWidth, 1e-5F, Float16::kHalf,
                y.as<void>());
  std::vector<double> expected;
  for (int64_t r = 0; r < kRows; ++r) {
    const std::vector<float> row(x.begin() + r * kWidth, x.begin() + (r + 1) * kWidth);
    const std::vector<double> normed = RmsNormReference(row, weight, 1e-5);
    expected.insert(expected.end(), normed.begin(), normed.end());
  }
  EXPECT_LT(RelativeError(Floats(y, kRows * kWidth), expected), 1e-3);
}

TEST_F(PointwiseTest, GatedActivation) {
  constexpr int64_t kRows = 3;
  constexpr int64_t kWidth = 88;
  Operands operands(2);
  const std::vector<Half> both = operands.Halves(kRows * 2 * kWidth, 3.0F);
  const Buffer both_card = ToCard(both);
  const Buffer y(kRows * kWidth * 2);
  for (const Activation activation : {Activation::kSilu, Activation::kGelu}) {
    cuda::GatedActivation(stream_, activation, both_card.as<void>(), kRows, kWidth, Float16::kHalf, y.as<void>());
    std::vector<double> expected;
    for (int64_t i = 0; i < kRows * kWidth; ++i) {
      const auto at = static_cast<size_t>(i / kWidth * 2 * kWidth + i % kWidth);
      expected.push_back(GatedReference(activation, static_cast<double>(FloatFromHalf(both[at])),
                                        static_cast<double>(FloatFromHalf(both[at + kWidth]))));
    }
    EXPECT_LT(RelativeError(Floats(y, kRows * kWidth), expected), 2e-3);
  }
}

TEST_F(PointwiseTest, EmbedUnpacksRows) {
  constexpr int64_t kCols = 256;
  const WeightsOfType weights(GGML_TYPE_Q4_K, 10, kCols, 3);
  const PackedMatrix packed = PackMatrix(weights.matrix, Float16::kHalf);
  const Buffer values = ToCard(packed.values);
  const Buffer scales = ToCard(packed.scales);
  const DeviceMatrix m{packed.packing, packed.rows, packed.cols, packed.group, values.as<void>(), scales.as<void>()};
  const std::vector<int32_t> tokens = {7, 0, 9, 7};
  const Buffer tokens_card = ToCard(tokens);
  const Buffer x(4 * kCols * 4);
  Embed(stream_, m, tokens_card.as<int32_t>(), 4, 2.0F, x.as<float>());
  std::vector<double> expected;
  for (const int32_t token : tokens) {
    for (int64_t i = 0; i < kCols; ++i)
      expected.push_back(2.0 * weights.values[static_cast<size_t>(token * kCols + i)]);
  }
  EXPECT_LT(RelativeError(FromCard<float>(x, 4 * kCols), expected), 1e-3);
}

TEST_F(PointwiseTest, AddNormedAndBias) {
  constexpr int64_t kWidth = 200;
  Operands operands(4);
  const std::vector<float> x = operands.Floats(2 * kWidth);
  const std::vector<float> y = operands.Floats(2 * kWidth);
  const std::vector<float> weight = operands.Floats(kWidth);
  const Buffer x_card = ToCard(x);
  const Buffer y_card = ToCard(y);
  const Buffer weight_card = ToCard(weight);
  AddNormed(stream_, y_card.as<float>(), weight_card.as<float>(), 2, kWidth, 1e-6F, x_card.as<float>());
  AddBias(stream_, weight_card.as<float>(), 2, kWidth, x_card.as<float>());
  std::vector<double> expected;
  for (int64_t r = 0; r < 2; ++r) {
    const std::vector<float> row(y.begin() + r * kWidth, y.begin() + (r + 1) * kWidth);
    const std::vector<double> normed = RmsNormReference(row, weight, 1e-6);
    for (int64_t i = 0; i < kWidth; ++i) {
      const auto at = static_cast<size_t>(i);
      expected.push_back(static_cast<double>(x[static_cast<size_t>(r * kWidth + i)]) + normed[at] +
                         static_cast<double>(weight[at]));
    }
  }
  EXPECT_LT(RelativeError(FromCard<float>(x_card, 2 * kWidth), expected), 1e-5);
}

TEST_F(PointwiseTest, ArgMaxTakesTheFirstOfTheLargest) {
  std::vector<float> numbers(100000, -7.0F);
  numbers[5] = std::nanf("");
  numbers[40000] = -1.0F;
  numbers[90000] = -1.0F;
  const Buffer card = ToCard(numbers);
  const Buffer scratch(16);
  const Buffer best(4);
  Clear(stream_, scratch.as<void>(), scratch.bytes());
  ArgMax(stream_, card.as<float>(), static_cast<int64_t>(numbers.size()), scratch.as<uint64_t>(), best.as<int32_t>());
  EXPECT_EQ(FromCard<int32_t>(best, 1)[0], 40000);
  // Nothing is left in scratch: all that counts now is smaller.
  ArgMax(stream_, card.as<float>(), 100, scratch.as<uint64_t>(), best.as<int32_t>());
  EXPECT_EQ(FromCard<int32_t>(best, 1)[0], 0);
}

TEST_F(PointwiseTest, RopeTableIsTheHosts) {
  RopeConfig config;
  config.dims = 64;
  RopeTable host(config, false);
  host.Reserve(100000);
  const Buffer frequency = ToCard(host.frequency());
  const Buffer table(100000 * 64 * 4);
  FillRopeTable(stream_, frequency.as<double>(), host.magnitude(), 64, 64, 0, 100000, table.as<float>());
  const std::vector<float> rows = FromCard<float>(table, 100000 * 64);
  for (const int64_t position : {0, 1, 63, 4096, 99999}) {
    for (int64_t i = 0; i < 64; ++i) {
      EXPECT_NEAR(rows[static_cast<size_t>(position * 64 + i)], host.Row(position)[i], 1e-6F);
    }
  }
}

// Pairs behind those that turn keep what they are, also where the others are multiplied.
TEST_F(PointwiseTest, RopeTableTurnsAPartOfWideHeads) {
  RopeConfig config;
  config.dims = 48;
  config.magnitude = 1.25F;
  RopeTable host(config, false);
  host.Reserve(300);
  const Buffer frequency = ToCard(host.frequency());
  const Buffer table(300 * 128 * 4);
  FillRopeTable(stream_, frequency.as<double>(), host.magnitude(), 48, 128, 0, 300, table.as<float>());
  const std::vector<float> rows = FromCard<float>(table, 300 * 128);
  for (const int64_t position : {0, 1, 299}) {
    for (int64_t pair = 0; pair < 64; ++pair) {
      const float cosine = pair < 24 ? host.Row(position)[pair] : 1.0F;
      const float sine = pair < 24 ? host.Row(position)[24 + pair] : 0.0F;
      EXPECT_NEAR(rows[static_cast<size_t>(position * 128 + pair)], cosine, 1e-6F) << pair;
      EXPECT_NEAR(rows[static_cast<size_t>(position * 128 + 64 + pair)], sine, 1e-6F) << pair;
    }
  }
}

}  // namespace
}  // namespace ltri::cuda
