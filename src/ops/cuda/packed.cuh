// Reading packed weights in kernels.
#ifndef LTRI_OPS_CUDA_PACKED_CUH_
#define LTRI_OPS_CUDA_PACKED_CUH_

#include "ops/cuda/launch.cuh"
#include "ops/cuda/types.h"

namespace ltri::cuda {

// One value of a matrix. Slow: for embeddings and unpacking.
__device__ inline float ValueAt(const DeviceMatrix& m, int64_t row, int64_t col) {
  const int64_t at = row * m.cols + col;
  switch (m.packing) {
    case Packing::kHalf:
      return __half2float(static_cast<const __half*>(m.values)[at]);
    case Packing::kBfloat:
      return __bfloat162float(static_cast<const __nv_bfloat16*>(m.values)[at]);
    case Packing::kInt8: {
      const float scale = __half2float(static_cast<const __half*>(m.scales)[at / m.group]);
      return static_cast<float>(static_cast<const int8_t*>(m.values)[at]) * scale;
    }
    case Packing::kInt4: {
      const float2 scale = __half22float2(static_cast<const __half2*>(m.scales)[at / 32]);
      const int byte = static_cast<const uint8_t*>(m.values)[at / 32 * 16 + at % 16];
      return static_cast<float>(at % 32 < 16 ? byte & 15 : byte >> 4) * scale.x + scale.y;
    }
  }
  return 0;
}

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_PACKED_CUH_
