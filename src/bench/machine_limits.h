// What the machine can do at most, measured with the threads that the engine gets.
#ifndef LTRI_BENCH_MACHINE_LIMITS_H_
#define LTRI_BENCH_MACHINE_LIMITS_H_

#include <cstdint>
#include <string>

#include "base/thread_pool.h"

namespace ltri {

struct MachineLimits {
  double read_gb_per_second = 0;  // all threads read a buffer that is far larger than the caches
  double fma_gflops = 0;          // multiply-adds of floats in registers
  double gemm_gflops = 0;         // a large product of float matrices, one a thread
  std::string gemm;               // what computes it
  double peak_gflops() const { return fma_gflops > gemm_gflops ? fma_gflops : gemm_gflops; }
};

struct LimitSizes {
  int64_t buffer_bytes = 0;  // 0: four times the last cache, at least 512 MB
  int64_t matrix = 1024;     // rows and columns
  double seconds = 1.0;      // for each of the three
};

// The best of several passes each.
MachineLimits MeasureLimits(ThreadPool& pool, const LimitSizes& sizes = {});

}  // namespace ltri

#endif  // LTRI_BENCH_MACHINE_LIMITS_H_
