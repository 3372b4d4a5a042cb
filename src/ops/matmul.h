// Linear layers over quantised weights.
#ifndef LTRI_OPS_MATMUL_H_
#define LTRI_OPS_MATMUL_H_

#include <cstdint>

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

// y = x W^T + bias.  x: [rows, W.cols], y: [rows, W.rows], bias: [W.rows] or null.
//   block rows: W is unpacked tile by tile to floats and multiplied in single precision;
//   single rows: x is quantised to the partner type of W's and multiplied as it lies in memory (llama.cpp's way).
void Matmul(ThreadPool& pool, const Matrix& w, const float* x, RowCount rows, const float* bias, float* y);

// y = row `index` of W as floats. y: [W.cols].
void UnpackRow(const Matrix& w, int64_t index, float* y);

}  // namespace ltri

#endif  // LTRI_OPS_MATMUL_H_
