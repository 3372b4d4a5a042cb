// Linear layers on the card against plain loops.
#include <gtest/gtest.h>

#include "cuda/card.h"
#include "cuda/packed_weights.h"
#include "ops/convert.h"
#include "ops/cuda/gemm.h"
#include "ops/cuda/matvec.h"
#include "ops/cuda/pack.h"

namespace ltri::cuda {
namespace {

using testing::GatedReference;
using testing::MatmulReference;
using testing::Operands;
using testing::RmsNormReference;

class ProductsTest : public CardTestOf<::testing::TestWithParam<int>> {
 protected:
  // The weights on the card, kept until the test ends.
  DeviceMatrix Put(const WeightsOfType& weights, Float16 type) {
    const PackedMatrix packed = PackMatrix(weights.matrix, type);
    kept_.push_back(ToCard(packed.values));
    DeviceMatrix m{packed.packing, packed.rows, packed.cols, packed.group, kept_.back().as<void>(), nullptr};
    if (!packed.scales.empty()) {
      kept_.push_back(ToCard(packed.scales));
      m.scales = kept_.back().as<void>();
    }
    return m;
  }
  static bool Rounds(const DeviceMatrix& m) { return m.packing == Packing::kInt4 || m.packing == Packing::kInt8; }

  std::vector<Buffer> kept_;
};

TEST_P(ProductsTest, VectorWithBias) {
  for (const auto& [rows, cols] : {std::pair{96, 256}, {5000, 1536}, {7, 14336}}) {
    const WeightsOfType weights(GetParam(), rows, cols, 5);
    Operands operands(6);
    const std::vector<float> x = operands.Floats(cols);
    const std::vector<float> bias = operands.Floats(rows);
    const Buffer x_card = ToCard(x);
    const Buffer bias_card = ToCard(bias);
    const Buffer y(rows * 4);
    MatVec args;
    args.w = Put(weights, Float16::kBfloat);
    args.x = x_card.as<float>();
    args.bias = bias_card.as<float>();
    args.y = y.as<float>();
    MultiplyVector(stream_, args);
    const double error = RelativeError(FromCard<float>(y, rows), MatmulReference(x, weights.values, cols, bias));
    EXPECT_LT(error, Rounds(args.w) ? 1e-2 : 1e-3) << rows << " x " << cols;
  }
}

// Fewer values than threads take at once, as many, and more; by both kernels. 576: rows whose scales no bulk copy
// takes.
TEST_P(ProductsTest, NormedVectorIsAdded) {
  constexpr int64_t kRows = 300;
  for (const int64_t cols : {576, 768, 4096, 5120}) {
    if (cols % TypeBlockValues(GetParam()) != 0) continue;
    const WeightsOfType weights(GetParam(), kRows, cols, 7);
    Operands operands(8);
    const std::vector<float> x = operands.Floats(cols, 30.0F);
    const std::vector<float> norm = operands.Floats(cols);
    const std::vector<float> before = operands.Floats(kRows);
    const Buffer x_card = ToCard(x);
    const Buffer norm_card = ToCard(norm);
    MatVec args;
    args.w = Put(weights, Float16::kHalf);
    args.x = x_card.as<float>();
    args.norm = norm_card.as<float>();
    args.epsilon = 1e-5F;
    args.result = MatVecResult::kAdd;
    const std::vector<double> normed = RmsNormReference(x, norm, 1e-5);
    const std::vector<float> normed_floats(normed.begin(), normed.end());
    for (const auto multiply : {MultiplyVector, MultiplyVectorFromRegisters}) {
      const Buffer y = ToCard(before);
      args.y = y.as<float>();
      multiply(stream_, args);
      EXPECT_LT(RelativeError(FromCard<float>(y, kRows), MatmulReference(normed_floats, weights.values, cols, before)),
                Rounds(args.w) ? 1e-2 : 1e-3)
          << cols;
    }
  }
}

TEST_P(ProductsTest, GatedVector) {
  constexpr int64_t kRows = 1000;
  constexpr int64_t kCols = 512;
  const WeightsOfType weights(GetParam(), kRows, kCols, 9);
  Operands operands(10);
  const std::vector<float> x = operands.Floats(kCols, 0.3F);
  const Buffer x_card = ToCard(x);
  const Buffer y(kRows / 2 * 4);
  MatVec args;
  args.w = Put(weights, Float16::kBfloat);
  args.x = x_card.as<float>();
  args.result = MatVecResult::kGate;
  args.y = y.as<float>();
  MultiplyVector(stream_, args);
  const std::vector<double> both = MatmulReference(x, weights.values, kCols, {});
  std::vector<double> expected;
  for (size_t i = 0; i < kRows / 2; ++i)
    expected.push_back(GatedReference(Activation::kSilu, both[i], both[kRows / 2 + i]));
  EXPECT_LT(RelativeError(FromCard<float>(y, kRows / 2), expected), Rounds(args.w) ? 2e-2 : 1e-3);
}

TEST_P(ProductsTest, ManyRows) {
  constexpr int64_t kOutputs = 320;
  constexpr int64_t kCols = 512;
  constexpr int64_t kRows = 70;
  const WeightsOfType weights(GetParam(), kOutputs, kCols, 11);
  Operands operands(12);
  const std::vector<Half> x_halves = operands.Halves(kRows * kCols);
  std::vector<float> x(x_halves.size());
  HalfToFloat(x_halves.data(), kRows * kCols, x.data());
  const Buffer x_card = ToCard(x_halves);
  const Buffer y(kRows * (kOutputs + 8) * 4);
  Clear(stream_, y.as<void>(), y.bytes());
  Gemm gemm;
  const DeviceMatrix w = Put(weights, Float16::kHalf);
  for (const GemmResult result : {GemmResult::kFloat, GemmResult::kAddFloat}) {
    gemm.Multiply(stream_, w, Float16::kHalf, x_card.as<void>(), kRows, result, y.as<void>(), kOutputs + 8, 8);
  }
  const std::vector<float> all = FromCard<float>(y, kRows * (kOutputs + 8));
  std::vector<float> got;
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t i = 0; i < kOutputs; ++i) got.push_back(all[static_cast<size_t>(r * (kOutputs + 8) + 8 + i)] / 2);
    EXPECT_EQ(all[static_cast<size_t>(r * (kOutputs + 8))], 0.0F);
  }
  EXPECT_LT(RelativeError(got, MatmulReference(x, weights.values, kCols, {})), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Types, ProductsTest,
                         ::testing::Values(GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0,
                                           GGML_TYPE_Q4_1, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K),
                         [](const auto& instance) { return std::string(TypeName(instance.param)); });

}  // namespace
}  // namespace ltri::cuda
