#include "ops/matmul.h"

#include <ggml.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "ops/cpu/byte_panels.h"
#include "ops/cpu/panels.h"
#include "support/allocations.h"
#include "support/ops_reference.h"
#include "support/simd_targets.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

using testing::Operands;

// A random matrix in one of ggml's types, and its values.
struct Weights {
  std::vector<std::byte> bytes;
  std::vector<float> values;
  Matrix matrix;
};

// ggml searches seconds for the best codes of the smallest types.
bool IsSlowToQuantize(int type) {
  const std::string name = TypeName(type);
  return name.starts_with("iq1") || name.starts_with("iq2") || name.starts_with("iq3");
}

// Random bits are as good: those of a block whose scale is a number.
void RandomBlock(int type, std::byte* block, Operands* any) {
  std::vector<float> values(static_cast<size_t>(TypeBlockValues(type)));
  const auto usable = [](float value) { return std::fabs(value) < 1e4F; };
  do {
    for (int64_t i = 0; i < TypeBlockBytes(type); ++i) block[i] = static_cast<std::byte>(any->Int(0, 255));
    DequantizeRow(type, block, values.data(), TypeBlockValues(type));
  } while (!std::all_of(values.begin(), values.end(), usable));
}

// Weights of which `fill` makes the bytes.
template <typename FillBytes>
void Make(int type, int64_t rows, int64_t cols, Weights* weights, const FillBytes& fill) {
  const int64_t row_bytes = TypeRowBytes(type, cols);
  weights->bytes.resize(static_cast<size_t>(rows * row_bytes));
  fill(weights->bytes.data());
  weights->values.resize(static_cast<size_t>(rows * cols));
  DequantizeRow(type, weights->bytes.data(), weights->values.data(), rows * cols);
  weights->matrix = {weights->bytes.data(), rows, cols, type, row_bytes};
}

void Quantize(int type, const std::vector<float>& exact, int64_t rows, int64_t cols, Weights* weights) {
  Make(type, rows, cols, weights, [&](std::byte* bytes) {
    const std::vector<float> importance(static_cast<size_t>(cols), 1.0F);
    ggml_quantize_chunk(static_cast<ggml_type>(type), exact.data(), bytes, 0, rows, cols, importance.data());
  });
}

void Fill(int type, int64_t rows, int64_t cols, Operands* any, Weights* weights) {
  if (!IsSlowToQuantize(type)) return Quantize(type, any->Floats(rows * cols), rows, cols, weights);
  Make(type, rows, cols, weights, [&](std::byte* bytes) {
    const int64_t size = rows * TypeRowBytes(type, cols);
    for (int64_t at = 0; at < size; at += TypeBlockBytes(type)) RandomBlock(type, bytes + at, any);
  });
}

std::vector<float> Compute(const Matrix& w, const std::vector<float>& x, RowCount rows, const std::vector<float>& bias,
                           int threads) {
  ThreadPool pool(threads);
  std::vector<float> y(static_cast<size_t>(rows.total() * w.rows), -7.0F);
  Matmul(pool, w, x.data(), rows, bias.empty() ? nullptr : bias.data(), y.data());
  return y;
}

double Norm(const float* values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]) * values[i];
  return std::sqrt(sum);
}

// What single rows lose when they are rounded to the partner type, as a share of |x| |w|.
double SingleTolerance(int type) { return type == kTypeF32 ? 1e-6 : 2e-3; }

// Block rows lose the same where they are rounded, else nothing.
double BlockTolerance(int type) { return HasBytePanels(type) ? SingleTolerance(type) : 1e-6; }

class MatmulTest : public ::testing::TestWithParam<int> {
 protected:
  void ExpectRight(int64_t outputs, int64_t cols, RowCount rows, bool with_bias) {
    SCOPED_TRACE(std::to_string(outputs) + " x " + std::to_string(cols));
    Operands any(static_cast<uint64_t>(outputs * 131 + cols));
    Weights w;
    Fill(GetParam(), outputs, cols, &any, &w);
    const std::vector<float> x = any.Floats(rows.total() * cols, 3.0F);
    const std::vector<float> bias = with_bias ? any.Floats(outputs) : std::vector<float>();
    const std::vector<float> y = Compute(w.matrix, x, rows, bias, 1);
    const std::vector<double> expected = testing::MatmulReference(x, w.values, cols, bias);
    for (int64_t r = 0; r < rows.total(); ++r) {
      const double size = Norm(x.data() + r * cols, cols);
      for (int64_t j = 0; j < outputs; ++j) {
        const double share = r < rows.block ? BlockTolerance(GetParam()) : SingleTolerance(GetParam());
        const double tolerance = share * (size * Norm(w.values.data() + j * cols, cols) + 1);
        const auto at = static_cast<size_t>(r * outputs + j);
        ASSERT_NEAR(y[at], expected[at], tolerance) << "row " << r << ", output " << j;
      }
    }
    EXPECT_EQ(y, Compute(w.matrix, x, rows, bias, 3)) << "three threads change the result";
    ExpectSameAlone(w.matrix, x, rows, bias, y);
  }

  // A token's result is the same without its neighbours.
  void ExpectSameAlone(const Matrix& w, const std::vector<float>& x, RowCount rows, const std::vector<float>& bias,
                       const std::vector<float>& y) {
    for (int64_t r = 0; r < rows.total(); ++r) {
      const std::vector<float> row(x.begin() + r * w.cols, x.begin() + (r + 1) * w.cols);
      const RowCount one = r < rows.block ? RowCount{1, 0} : RowCount{0, 1};
      const std::vector<float> alone = Compute(w, row, one, bias, 1);
      EXPECT_EQ(alone, std::vector<float>(y.begin() + r * w.rows, y.begin() + (r + 1) * w.rows)) << "row " << r;
    }
  }
};

TEST_P(MatmulTest, EqualsPlainLoops) {
  const int64_t block = TypeBlockValues(GetParam());
  ExpectRight(1, block, {1, 1}, false);
  ExpectRight(37, 2 * block, {5, 3}, true);
  if (block == 1) {
    ExpectRight(19, 1, {3, 2}, false);
    ExpectRight(300, 77, {70, 1}, true);
  } else if (block <= 64) {
    ExpectRight(300, 3 * block, {70, 1}, true);
  }
}

TEST_P(MatmulTest, RowsAreUnpackedAsGgmlReadsThem) {
  Operands any(3);
  const int64_t cols = 2 * TypeBlockValues(GetParam());
  Weights w;
  Fill(GetParam(), 5, cols, &any, &w);
  for (int64_t r = 0; r < 5; ++r) {
    std::vector<float> row(static_cast<size_t>(cols));
    UnpackRow(w.matrix, r, row.data());
    EXPECT_EQ(row, std::vector<float>(w.values.begin() + r * cols, w.values.begin() + (r + 1) * cols));
  }
}

// Long rows are multiplied in parts, and unpacked by code of their own on every kind of processor.
TEST_P(MatmulTest, LongRowsOnEverySimdTarget) {
  testing::ForEachSimdTarget([&] { ExpectRight(11, 1024, {9, 1}, false); });
}

TEST_P(MatmulTest, ValuesAreUnpackedAsGgmlReadsThem) {
  Operands any(5);
  const int64_t count = 4 * std::max<int64_t>(16, TypeBlockValues(GetParam()));
  Weights w;
  Fill(GetParam(), 1, count, &any, &w);
  testing::ForEachSimdTarget([&] {
    std::vector<float> values(static_cast<size_t>(count));
    UnpackValues(GetParam(), w.bytes.data(), count, values.data());
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(values[i], w.values[i], 1e-6 * Norm(w.values.data(), count)) << i;
    }
  });
}

// Every block of the types that are multiplied as bytes has the largest codes, and x the largest bytes of either sign.
class LargestCodesTest : public ::testing::TestWithParam<int> {};

TEST_P(LargestCodesTest, DoNotOverflowOnAnySimdTarget) {
  const int64_t cols = std::max<int64_t>(64, TypeBlockValues(GetParam()));
  constexpr int64_t kOutputs = 37;
  constexpr int64_t kRows = 5;
  std::vector<float> exact(static_cast<size_t>(kOutputs * cols), 1.0F);
  for (size_t i = 0; i < exact.size(); i += 16) exact[i] = -1.0F;
  Weights w;
  Quantize(GetParam(), exact, kOutputs, cols, &w);
  testing::ForEachSimdTarget([&] {
    for (const float sign : {1.0F, -1.0F}) {
      const std::vector<float> x(static_cast<size_t>(kRows * cols), sign);
      const std::vector<double> expected = testing::MatmulReference(x, w.values, cols, {});
      for (const RowCount rows : {RowCount{kRows, 0}, RowCount{0, kRows}}) {
        const std::vector<float> y = Compute(w.matrix, x, rows, {}, 1);
        for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], 1e-3 * static_cast<double>(cols)) << i;
      }
    }
  });
}

// Layers that share an input, of types that take it differently.
class SharedInputTest : public ::testing::Test {
 protected:
  static constexpr int64_t kCols = 256;
  static constexpr RowCount kRows = {5, 3};

  SharedInputTest() : x_(any_.Floats(kRows.total() * kCols)) {
    const int types[] = {GGML_TYPE_Q4_0, GGML_TYPE_F32, GGML_TYPE_Q4_K, GGML_TYPE_Q8_0, GGML_TYPE_F16};
    for (size_t i = 0; i < weights_.size(); ++i) {
      const int64_t outputs = 7 + 64 * static_cast<int64_t>(i);
      Fill(types[i], outputs, kCols, &any_, &weights_[i]);
      results_[i].resize(static_cast<size_t>(kRows.total() * outputs));
      layers_[i] = {&weights_[i].matrix, nullptr, results_[i].data()};
    }
  }

  Operands any_{9};
  std::vector<float> x_;
  std::array<Weights, 5> weights_;
  std::array<std::vector<float>, 5> results_;
  std::array<Linear, 5> layers_;
};

TEST_F(SharedInputTest, GivesWhatEachLayerGivesAlone) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Matmul(pool, layers_, x_.data(), kRows);
    for (size_t i = 0; i < layers_.size(); ++i)
      EXPECT_EQ(results_[i], Compute(weights_[i].matrix, x_, kRows, {}, 1)) << i;
  }
}

TEST_F(SharedInputTest, AsksForNoMemoryAgain) {
  if (!testing::CountsAllocations()) GTEST_SKIP() << "a sanitizer has operator new";
  ThreadPool pool(1);  // with several, who gets its scratch memory in which round is chance
  Matmul(pool, layers_, x_.data(), kRows);
  const int64_t before = testing::Allocations();
  Matmul(pool, layers_, x_.data(), kRows);
  EXPECT_EQ(testing::Allocations(), before);
}

std::vector<int> ReadableTypes() {
  std::vector<int> types;
  for (int type = 0; type < GGML_TYPE_COUNT; ++type) {
    if (TypeIsReadable(type)) types.push_back(type);
  }
  return types;
}

INSTANTIATE_TEST_SUITE_P(Types, LargestCodesTest,
                         ::testing::Values(kTypeQ4_0, kTypeQ4_1, kTypeQ5_0, kTypeQ5_1, kTypeQ8_0, kTypeQ4K, kTypeQ5K,
                                           kTypeQ6K),
                         [](const auto& type) { return std::string(TypeName(type.param)); });

INSTANTIATE_TEST_SUITE_P(Types, MatmulTest, ::testing::ValuesIn(ReadableTypes()),
                         [](const auto& type) { return std::string(TypeName(type.param)); });

}  // namespace
}  // namespace ltri
