// Products of block-quantised weights with single vectors.
//
// Only where they beat ggml's dot product of one row (docs/performance.md): types of 4 and 5 bits a weight on AVX2, and
// Q8_0 as well on AVX-512 VNNI. Everything else goes through ggml. The vector is rounded to 8 bits in blocks of 32, as
// ggml does.
//
// Thread safety: functions without state.
#ifndef LTRI_OPS_CPU_MATVEC_H_
#define LTRI_OPS_CPU_MATVEC_H_

#include <cstddef>
#include <cstdint>

#include "weights/model_weights.h"

namespace ltri {

// Whether this CPU has a kernel of its own for weights of ggml's type `type`.
bool HasMatvec(int type);

// 64 values of a vector, laid out for the kernel; the second half of the last one may be empty.
struct alignas(64) VectorPart {
  int8_t values[64];
  int32_t negative_sums[16];    // -(sum of four values)
  int32_t negative_halves[16];  // -(sum of 16 values), each four times
  float scales[16];             // value = scale * 8-bit value; one scale for 32 values, eight times
};

inline int64_t VectorParts(int64_t cols) { return (cols + 63) / 64; }

// to[0, VectorParts(cols)) = x rounded. x: [cols], a multiple of 32.
void RoundVector(const float* x, int64_t cols, VectorPart* to);

// y[i] = (row first + i of W) . x for i < count. HasMatvec(w.type) holds.
void Matvec(const Matrix& w, int64_t first, int64_t count, const VectorPart* x, float* y);

}  // namespace ltri

#endif  // LTRI_OPS_CPU_MATVEC_H_
