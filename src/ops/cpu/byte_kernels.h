// The kernels behind byte_panels.h, one set for each kind of instructions; byte_panels.cc picks.
#ifndef LTRI_OPS_CPU_BYTE_KERNELS_H_
#define LTRI_OPS_CPU_BYTE_KERNELS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "ops/cpu/byte_panels.h"

namespace ltri {

// What the rows of x share.
struct Strip {
  int64_t blocks;
  const PanelBlock* panel;
  const float* bias;  // or null
  int64_t outputs;
};

// Where each output of a panel begins, at the current block of W.
using RowsOfW = std::array<const std::byte*, kBytePanelWidth>;

struct ByteKernels {
  void (*make)(const Matrix& w, int64_t first, PanelBlock* panel);
  void (*multiply)(const RoundedBlock* x, int64_t rows, const Strip& strip, float* y, int64_t y_stride);
};

// For weights of ggml's type `type`; null where there are none for it, or where the instructions may not be used
// (instructions.h).
const ByteKernels* Avx512ByteKernels(int type);  // needs VNNI
const ByteKernels* Avx2ByteKernels(int type);

}  // namespace ltri

#endif  // LTRI_OPS_CPU_BYTE_KERNELS_H_
