#include "bench/machine_limits.h"

#include <gtest/gtest.h>

namespace ltri {
namespace {

TEST(MachineLimitsTest, AreMeasured) {
  ThreadPool pool(2);
  const MachineLimits limits = MeasureLimits(pool, {.buffer_bytes = 1 << 22, .matrix = 96, .seconds = 0.01});
  EXPECT_GT(limits.read_gb_per_second, 0.01);
  EXPECT_GT(limits.fma_gflops, 0.01);
  EXPECT_GT(limits.gemm_gflops, 0.001);
  EXPECT_LT(limits.fma_gflops, 1e5);  // chains that the compiler had left out would be faster than any processor
  EXPECT_LT(limits.read_gb_per_second, 1e5);
  EXPECT_FALSE(limits.gemm.empty());
  EXPECT_GE(limits.peak_gflops(), limits.gemm_gflops);
}

}  // namespace
}  // namespace ltri
