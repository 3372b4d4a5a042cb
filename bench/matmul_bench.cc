// Linear layers of each weight type: single rows by memory traffic, blocks by arithmetic. Every case is checked against
// plain loops before it is timed.
#include <benchmark/benchmark.h>
#include <ggml.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "ops/matmul.h"
#include "support/ops_reference.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

// A matrix of random weights; `rows` of them, the first kDistinct repeated.
struct Weights {
  static constexpr int64_t kDistinct = 64;
  std::vector<std::byte> bytes;
  std::vector<float> values;  // of the distinct rows
  Matrix matrix;

  Weights(int type, int64_t rows, int64_t cols) {
    testing::Operands any(1);
    const std::vector<float> exact = any.Floats(kDistinct * cols);
    const int64_t row_bytes = TypeRowBytes(type, cols);
    bytes.resize(static_cast<size_t>(rows * row_bytes));
    const std::vector<float> importance(static_cast<size_t>(cols), 1.0F);
    for (int64_t r = 0; r < rows; ++r) {
      ggml_quantize_chunk(static_cast<ggml_type>(type), exact.data() + r % kDistinct * cols,
                          bytes.data() + r * row_bytes, 0, 1, cols, importance.data());
    }
    values.resize(static_cast<size_t>(kDistinct * cols));
    DequantizeRow(type, bytes.data(), values.data(), kDistinct * cols);
    matrix = {bytes.data(), rows, cols, type, row_bytes};
  }
};

double Length(const float* values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]) * values[i];
  return std::sqrt(sum);
}

// Whether the first distinct outputs of y are right: `share` of |x| |w| may be missing.
bool IsRight(const Weights& w, const std::vector<float>& x, const std::vector<float>& y, double share) {
  const int64_t cols = w.matrix.cols;
  const std::vector<double> expected = testing::MatmulReference(x, w.values, cols, {});
  const auto rows = static_cast<int64_t>(x.size()) / cols;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < Weights::kDistinct; ++j) {
      const double size = Length(x.data() + r * cols, cols) * Length(w.values.data() + j * cols, cols);
      const double error =
          y[static_cast<size_t>(r * w.matrix.rows + j)] - expected[static_cast<size_t>(r * Weights::kDistinct + j)];
      if (!(std::fabs(error) <= share * size)) return false;
    }
  }
  return true;
}

void Run(benchmark::State& state, int type, RowCount rows, int64_t outputs, double share) {
  const auto cols = state.range(0);
  ThreadPool pool(static_cast<int>(state.range(1)));
  const Weights w(type, outputs, cols);
  testing::Operands any(2);
  const std::vector<float> x = any.Floats(rows.total() * cols);
  std::vector<float> y(static_cast<size_t>(rows.total() * outputs));
  Matmul(pool, w.matrix, x.data(), rows, nullptr, y.data());
  if (!IsRight(w, x, y, share)) return state.SkipWithError("differs from plain loops");
  for (auto _ : state) {
    Matmul(pool, w.matrix, x.data(), rows, nullptr, y.data());
    benchmark::DoNotOptimize(y.data());
  }
  const auto products = static_cast<double>(state.iterations() * rows.total() * outputs * cols);
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * products, benchmark::Counter::kIsRate);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(w.bytes.size()));
}

// 64 MB of weights, more than the caches of most machines hold.
void Single(benchmark::State& state, int type) {
  const int64_t outputs = (int64_t{64} << 20) / TypeRowBytes(type, state.range(0)) / Weights::kDistinct;
  Run(state, type, {0, 1}, outputs * Weights::kDistinct, type == GGML_TYPE_F32 ? 1e-6 : 2e-3);
}

void Block(benchmark::State& state, int type) { Run(state, type, {512, 0}, 1536, 1e-6); }

const bool registered = [] {
  for (const int type : {GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1, GGML_TYPE_Q8_0, GGML_TYPE_F16,
                         GGML_TYPE_BF16, GGML_TYPE_F32, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K}) {
    for (const auto& [kind, function] : {std::pair{"Single", &Single}, std::pair{"Block", &Block}}) {
      benchmark::RegisterBenchmark((std::string("Matmul") + kind + "/" + TypeName(type)).c_str(), function, type)
          ->ArgNames({"cols", "threads"})
          ->ArgsProduct({{768, 1536}, {1, 2}})
          ->UseRealTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace ltri
