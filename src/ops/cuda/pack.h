// From a file's weights to the forms that kernels read (ops/cuda/types.h). On the host.
#ifndef LTRI_OPS_CUDA_PACK_H_
#define LTRI_OPS_CUDA_PACK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ops/cuda/types.h"
#include "weights/model_weights.h"

namespace ltri::cuda {

struct PackedMatrix {
  Packing packing = Packing::kHalf;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t group = 32;
  std::vector<std::byte> values;
  std::vector<std::byte> scales;
};

// What a matrix of ggml's type `type` becomes beside activations of type `beside`: bf16 stays beside bf16, Q4_0, Q4_1
// and Q4_K are 4-bit groups of 32, Q8_0 is 8-bit groups of 32, Q6_K 8-bit groups of 16 (the numbers are those of the
// file; products of its scales are rounded to a half); all others become halves.
Packing PackingOf(int type, Float16 beside);

// order: [w.rows] which row of w comes at each place; empty: as they are. w.cols is a multiple of 32.
PackedMatrix PackMatrix(const Matrix& w, Float16 beside, std::span<const int32_t> order = {});

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_PACK_H_
