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

// order: which row of w comes at each place, -1: a row of zeros; empty: all as they are. as_halves: what would be 4 or
// 8 bits becomes halves too.
PackedMatrix PackMatrix(const Matrix& w, Float16 beside, std::span<const int32_t> order = {}, bool as_halves = false);

// Puts zeros behind every `part` columns, so that there are `padded` of them. part: whole groups, where there are
// groups.
PackedMatrix PadColumns(const PackedMatrix& w, int64_t part, int64_t padded);

// Bytes of so many columns of a row: of numbers, and of scales.
int64_t ValueBytes(Packing packing, int64_t cols);
int64_t ScaleBytes(Packing packing, int64_t group, int64_t cols);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_PACK_H_
