// Linear layers over quantised weights.
#ifndef LTRI_OPS_MATMUL_H_
#define LTRI_OPS_MATMUL_H_

#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "weights/model_weights.h"

namespace ltri {

// The rows of a step: first `block` rows of prompts, then `single` rows that are decoded one by one. Each kind has one
// way to be computed, whoever else is in the step, so that a token's result does not depend on its neighbours.
struct RowCount {
  int64_t block = 0;
  int64_t single = 0;
  int64_t total() const { return block + single; }
};

// One of several layers that read the same x.
struct Linear {
  const Matrix* w = nullptr;    // [outputs, cols]
  const float* bias = nullptr;  // [outputs] or null
  float* y = nullptr;           // [rows, outputs]
};

// y = x W^T + bias for each layer; all have the same cols. x: [rows, cols]. One hand-over to the threads for all.
//   block rows: W is unpacked panel by panel; on x86 and for most types x is rounded to 8 bits and both are multiplied
//   as bytes (ops/cpu/byte_panels.h), elsewhere W becomes floats and is multiplied in single precision;
//   single rows: x is rounded to 8 bits (16 for F16) and multiplied with W as it lies in memory (llama.cpp's way).
void Matmul(ThreadPool& pool, std::span<const Linear> layers, const float* x, RowCount rows);

inline void Matmul(ThreadPool& pool, const Matrix& w, const float* x, RowCount rows, const float* bias, float* y) {
  const Linear layer{&w, bias, y};
  Matmul(pool, {&layer, 1}, x, rows);
}

// y = row `index` of W as floats. y: [W.cols].
void UnpackRow(const Matrix& w, int64_t index, float* y);

}  // namespace ltri

#endif  // LTRI_OPS_MATMUL_H_
