#include "ops/gemm.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/ops_reference.h"

namespace ltri {
namespace {

using testing::Operands;

// Both products on shapes with tails, with rows further apart than they are long and every kind of beta.
TEST(GemmTest, EqualsPlainLoops) {
  Operands any(1);
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t m = any.Int(1, 40);
    const int64_t n = any.Int(1, 70);
    const int64_t k = any.Int(1, 90);
    const int64_t lda = k + any.Int(0, 3);
    const bool transposed = trial % 2 == 0;
    const int64_t ldb = (transposed ? k : n) + any.Int(0, 3);
    const int64_t ldc = n + any.Int(0, 3);
    const float alpha = any.Float(2.0F);
    const float beta = trial % 3 == 0 ? 0.0F : any.Float(2.0F);
    const std::vector<float> a = any.Floats(m * lda);
    const std::vector<float> b = any.Floats((transposed ? n : k) * ldb);
    const std::vector<float> before = any.Floats(m * ldc);
    std::vector<float> c = before;
    (transposed ? GemmTransposed : Gemm)(m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < ldc; ++j) {
        const auto at = static_cast<size_t>(i * ldc + j);
        double expected = before[at];  // beyond the row: untouched
        if (j < n) {
          expected *= beta;
          for (int64_t t = 0; t < k; ++t) {
            const auto other = static_cast<size_t>(transposed ? j * ldb + t : t * ldb + j);
            expected += static_cast<double>(alpha) * a[static_cast<size_t>(i * lda + t)] * b[other];
          }
        }
        ASSERT_NEAR(c[at], expected, 3e-5) << m << " x " << n << " x " << k;
      }
    }
  }
}

}  // namespace
}  // namespace ltri
