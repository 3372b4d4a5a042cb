// RmsNorm and GatedActivation.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "ops/activation.h"
#include "ops/rms_norm.h"
#include "support/ops_reference.h"
#include "support/simd_targets.h"

namespace ltri {
namespace {

using testing::Operands;

TEST(RmsNormTest, EqualsPlainLoops) {
  testing::ForEachSimdTarget([] {
    Operands any(1);
    for (const int64_t width : {1, 3, 8, 17, 64, 577}) {
      const std::vector<float> x = any.Floats(3 * width, 4.0F);
      const std::vector<float> weight = any.Floats(width);
      const std::vector<double> expected = testing::RmsNormReference(x, weight, 1e-5);
      std::vector<float> y(x.size());
      RmsNorm(x.data(), weight.data(), 3, width, 1e-5F, y.data());
      for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], 1e-5) << width;
      std::vector<float> in_place = x;
      RmsNorm(in_place.data(), weight.data(), 3, width, 1e-5F, in_place.data());
      EXPECT_EQ(in_place, y);
    }
  });
}

TEST(RmsNormTest, ZerosStayZeros) {
  const std::vector<float> x(20, 0.0F);
  const std::vector<float> weight(20, 3.0F);
  std::vector<float> y(20, 1.0F);
  RmsNorm(x.data(), weight.data(), 1, 20, 1e-6F, y.data());
  EXPECT_EQ(y, x);
}

TEST(GatedActivationTest, EqualsTheFormula) {
  testing::ForEachSimdTarget([] {
    Operands any(2);
    for (const Activation activation : {Activation::kSilu, Activation::kGelu}) {
      for (const int64_t count : {1, 7, 8, 33, 500}) {
        const std::vector<float> gate = any.Floats(count, 8.0F);
        const std::vector<float> up = any.Floats(count, 2.0F);
        std::vector<float> y = gate;
        GatedActivation(activation, y.data(), up.data(), count);
        for (size_t i = 0; i < y.size(); ++i) {
          ASSERT_NEAR(y[i], testing::GatedReference(activation, gate[i], up[i]), 5e-6) << gate[i];
        }
      }
    }
  });
}

// Where exponentials would overflow or vanish the gate is open or closed.
TEST(GatedActivationTest, ExtremesAreOpenOrClosed) {
  for (const Activation activation : {Activation::kSilu, Activation::kGelu}) {
    std::vector<float> gate = {0.0F, 90.0F, -90.0F, 1000.0F, -1000.0F, 1e8F, -1e8F, 1e-20F, -1e-20F};
    const std::vector<float> up(gate.size(), 1.0F);
    const std::vector<float> before = gate;
    GatedActivation(activation, gate.data(), up.data(), static_cast<int64_t>(gate.size()));
    for (size_t i = 0; i < gate.size(); ++i) {
      EXPECT_TRUE(std::isfinite(gate[i])) << before[i];
      EXPECT_NEAR(gate[i], std::max(0.0F, before[i]), 1e-6F) << before[i];
    }
  }
}

}  // namespace
}  // namespace ltri
