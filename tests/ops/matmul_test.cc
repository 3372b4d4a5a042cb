#include "ops/matmul.h"

#include <ggml.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "support/ops_reference.h"
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

void Fill(int type, int64_t rows, int64_t cols, Operands* any, Weights* weights) {
  const int64_t row_bytes = TypeRowBytes(type, cols);
  weights->bytes.resize(static_cast<size_t>(rows * row_bytes));
  std::byte* bytes = weights->bytes.data();
  if (IsSlowToQuantize(type)) {
    for (int64_t at = 0; at < rows * row_bytes; at += TypeBlockBytes(type)) RandomBlock(type, bytes + at, any);
  } else {
    const std::vector<float> exact = any->Floats(rows * cols);
    const std::vector<float> importance(static_cast<size_t>(cols), 1.0F);
    ggml_quantize_chunk(static_cast<ggml_type>(type), exact.data(), bytes, 0, rows, cols, importance.data());
  }
  weights->values.resize(static_cast<size_t>(rows * cols));
  DequantizeRow(type, weights->bytes.data(), weights->values.data(), rows * cols);
  weights->matrix = {weights->bytes.data(), rows, cols, type, row_bytes};
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
        const double share = r < rows.block ? 1e-6 : SingleTolerance(GetParam());
        const double tolerance = share * (size * Norm(w.values.data() + j * cols, cols) + 1);
        const auto at = static_cast<size_t>(r * outputs + j);
        ASSERT_NEAR(y[at], expected[at], tolerance) << "row " << r << ", output " << j;
      }
    }
    EXPECT_EQ(y, Compute(w.matrix, x, rows, bias, 3)) << "three threads change the result";
    ExpectSingleRowsAlone(w.matrix, x, rows, bias, y);
  }

  // A decoded token's result is the same without its neighbours.
  void ExpectSingleRowsAlone(const Matrix& w, const std::vector<float>& x, RowCount rows,
                             const std::vector<float>& bias, const std::vector<float>& y) {
    for (int64_t r = rows.block; r < rows.total(); ++r) {
      const std::vector<float> row(x.begin() + r * w.cols, x.begin() + (r + 1) * w.cols);
      const std::vector<float> alone = Compute(w, row, {0, 1}, bias, 1);
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

std::vector<int> ReadableTypes() {
  std::vector<int> types;
  for (int type = 0; type < GGML_TYPE_COUNT; ++type) {
    if (TypeIsReadable(type)) types.push_back(type);
  }
  return types;
}

INSTANTIATE_TEST_SUITE_P(Types, MatmulTest, ::testing::ValuesIn(ReadableTypes()),
                         [](const auto& type) { return std::string(TypeName(type.param)); });

}  // namespace
}  // namespace ltri
