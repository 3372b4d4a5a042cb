// What weights become for the card means what the file means. Needs no card.
#include "ops/cuda/pack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "cuda/packed_weights.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kRows = 5;
constexpr int64_t kCols = 512;

template <typename T>
T At(const std::vector<std::byte>& bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

float Value(const PackedMatrix& m, int64_t row, int64_t col) {
  const int64_t at = row * m.cols + col;
  switch (m.packing) {
    case Packing::kBfloat: {
      const uint32_t bits = static_cast<uint32_t>(At<uint16_t>(m.values, at)) << 16;
      float value;
      std::memcpy(&value, &bits, sizeof(value));
      return value;
    }
    case Packing::kInt8:
      return static_cast<float>(At<int8_t>(m.values, at)) * FloatFromHalf(At<Half>(m.scales, at / m.group));
    case Packing::kInt4: {
      const int byte = At<uint8_t>(m.values, at / 32 * 16 + at % 16);
      const float number = static_cast<float>(at % 32 < 16 ? byte & 15 : byte >> 4);
      return number * FloatFromHalf(At<Half>(m.scales, at / 32 * 2)) +
             FloatFromHalf(At<Half>(m.scales, at / 32 * 2 + 1));
    }
    case Packing::kHalf:
      break;
  }
  return FloatFromHalf(At<Half>(m.values, at));
}

class PackTest : public ::testing::TestWithParam<int> {};

// Rows in another order, some of them zeros, and zeros behind every few columns; as halves, and as they are packed.
TEST_P(PackTest, MakesRoomWithZeros) {
  constexpr int64_t kPart = 64;
  constexpr int64_t kPadded = 96;
  const WeightsOfType weights(GetParam(), kRows, kCols, 3);
  const std::vector<int32_t> order = {4, -1, 0, 0, -1, 2};
  for (const bool as_halves : {false, true}) {
    const PackedMatrix packed =
        PadColumns(PackMatrix(weights.matrix, Float16::kBfloat, order, as_halves), kPart, kPadded);
    ASSERT_EQ(packed.rows, 6);
    ASSERT_EQ(packed.cols, kCols / kPart * kPadded);
    if (as_halves) {
      EXPECT_TRUE(packed.packing == Packing::kHalf || packed.packing == Packing::kBfloat);
    }
    for (int64_t row = 0; row < packed.rows; ++row) {
      const int64_t source = order[static_cast<size_t>(row)];
      for (int64_t col = 0; col < packed.cols; ++col) {
        const int64_t from = source * kCols + col / kPadded * kPart + col % kPadded;
        const bool has = source >= 0 && col % kPadded < kPart;
        EXPECT_NEAR(Value(packed, row, col), has ? weights.values[static_cast<size_t>(from)] : 0.0F, has ? 2e-3F : 0.0F)
            << "row " << row << " column " << col;
      }
    }
  }
}

TEST_P(PackTest, MeansTheSame) {
  const WeightsOfType weights(GetParam(), kRows, kCols, 3);
  const PackedMatrix packed = PackMatrix(weights.matrix, Float16::kBfloat);
  EXPECT_EQ(packed.packing, PackingOf(GetParam(), Float16::kBfloat));
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t col = 0; col < kCols; ++col) {
      const float expected = weights.values[static_cast<size_t>(row * kCols + col)];
      // Products of scales are rounded to a half, 16 of them away from zero at most.
      EXPECT_NEAR(Value(packed, row, col), expected, 2e-3F) << "row " << row << " column " << col;
    }
  }
}

TEST_P(PackTest, TakesRowsInOrder) {
  const WeightsOfType weights(GetParam(), kRows, kCols, 4);
  const std::vector<int32_t> order = {4, 2, 0, 1, 3};
  const PackedMatrix plain = PackMatrix(weights.matrix, Float16::kHalf);
  const PackedMatrix moved = PackMatrix(weights.matrix, Float16::kHalf, order);
  for (int64_t row = 0; row < kRows; ++row) {
    EXPECT_EQ(Value(moved, row, 77), Value(plain, order[static_cast<size_t>(row)], 77));
  }
}

INSTANTIATE_TEST_SUITE_P(Types, PackTest,
                         ::testing::Values(GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0,
                                           GGML_TYPE_Q4_1, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K, GGML_TYPE_Q5_K),
                         [](const auto& instance) { return std::string(TypeName(instance.param)); });

}  // namespace
}  // namespace ltri::cuda
