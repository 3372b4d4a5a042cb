// 16-bit floats and 8-bit vectors.
#include "ops/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/quantize.h"
#include "support/ops_reference.h"
#include "support/simd_targets.h"

namespace ltri {
namespace {

using testing::Operands;

// The value of a finite half, from the definition of the format.
double ValueOf(Half half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  const double size = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (half & 0x8000) != 0 ? -size : size;
}

// Nearest multiple of the step that halves have at this size, ties to even.
double Rounded(double value) {
  const double size = std::min(std::fabs(value), 65504.0);
  if (size == 0) return 0;
  const int exponent = std::max(std::ilogb(size), -14);
  const double step = std::ldexp(1.0, exponent - 10);
  return std::copysign(std::min(std::nearbyint(size / step) * step, 65504.0), value);
}

std::vector<Half> AllFiniteHalves() {
  std::vector<Half> halves;
  for (int bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7C00) != 0x7C00) halves.push_back(static_cast<Half>(bits));
  }
  return halves;
}

TEST(ConvertTest, EveryHalfComesBack) {
  testing::ForEachSimdTarget([] {
    const std::vector<Half> halves = AllFiniteHalves();
    const auto count = static_cast<int64_t>(halves.size());
    std::vector<float> floats(halves.size());
    HalfToFloat(halves.data(), count, floats.data());
    for (size_t i = 0; i < halves.size(); ++i) {
      ASSERT_EQ(floats[i], ValueOf(halves[i])) << halves[i];
      ASSERT_EQ(FloatFromHalf(halves[i]), floats[i]) << halves[i];
    }
    std::vector<Half> back(halves.size());
    FloatToHalf(floats.data(), count, back.data());
    EXPECT_EQ(back, halves);
  });
}

TEST(ConvertTest, RoundsToNearestEven) {
  testing::ForEachSimdTarget([] {
    Operands any(1);
    std::vector<float> floats = {
        0.0F,           65504.0F,       65519.0F, 65520.0F, 1e9F,           std::numeric_limits<float>::infinity(),
        1.00048828125F, 1.00146484375F, 5.9e-8F,  2.9e-8F,  2.98023224e-8F, 1e-30F,
        6.1e-5F};
    for (int i = 0; i < 4000; ++i) floats.push_back(any.Float(1.0F) * std::exp2(static_cast<float>(any.Int(-28, 16))));
    const size_t positive = floats.size();
    for (size_t i = 0; i < positive; ++i) floats.push_back(-floats[i]);
    for (const size_t tail : {size_t{0}, size_t{3}}) {  // vectors and the rest
      const size_t count = floats.size() - tail;
      std::vector<Half> halves(count);
      FloatToHalf(floats.data(), static_cast<int64_t>(count), halves.data());
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(ValueOf(halves[i]), Rounded(floats[i])) << floats[i];
    }
  });
  Operands any(2);
  for (int i = 0; i < 4000; ++i) {
    const float value = any.Float(1.0F) * std::exp2(static_cast<float>(any.Int(-28, 15)));
    ASSERT_EQ(ValueOf(HalfFromFloat(value)), Rounded(value)) << value;
  }
}

TEST(QuantizeTest, NoValueMovesMoreThanHalfAStep) {
  Operands any(3);
  for (int trial = 0; trial < 50; ++trial) {
    const std::vector<float> from = any.Floats(any.Int(1, 200), std::exp2(static_cast<float>(any.Int(-20, 20))));
    std::vector<int8_t> to(from.size());
    const float scale = QuantizeVector(from.data(), static_cast<int64_t>(from.size()), to.data());
    float most = 0;
    for (const float value : from) most = std::max(most, std::fabs(value));
    EXPECT_FLOAT_EQ(scale, most / 127);
    for (size_t i = 0; i < from.size(); ++i) {
      ASSERT_NEAR(static_cast<float>(to[i]) * scale, from[i], scale * 0.5001F);
      ASSERT_GE(to[i], -127);
    }
  }
}

// Vectors without a usable scale are zero, not whatever a division by nothing gives.
TEST(QuantizeTest, NothingStaysNothing) {
  for (const float value : {0.0F, 1e-39F, 1e-44F}) {
    const std::vector<float> from = {value, 0.0F, -value};
    std::vector<int8_t> to(3, 7);
    const float scale = QuantizeVector(from.data(), 3, to.data());
    EXPECT_LT(scale, 1e-38F);
    for (size_t i = 0; i < 3; ++i) EXPECT_LE(std::abs(to[i]), 127) << value;
    EXPECT_EQ(to[1], 0) << value;
  }
}

}  // namespace
}  // namespace ltri
