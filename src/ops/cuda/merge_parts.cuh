// Merging the parts of a query's attention that several blocks of threads computed.
#ifndef LTRI_OPS_CUDA_MERGE_PARTS_CUH_
#define LTRI_OPS_CUDA_MERGE_PARTS_CUH_

#include <cmath>

#include "ops/cuda/attend.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/mma.cuh"

namespace ltri::cuda {

// Of a softmax over some of the keys: its maximum, in powers of two, and its sum.
struct Part {
  float highest;
  float sum;
};

// Where parts wait to be merged: [sequences, splits, heads] of Part and of head_dim floats, and a counter a KV head.
struct Scratch {
  Part* parts;
  float* outs;
  uint32_t* counters;
};

// Whether this block is the last of its KV head to have written its part.
__device__ inline bool IsLast(uint32_t* counter, uint32_t blocks) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicInc(counter, blocks - 1) == blocks - 1;
  __syncthreads();
  __threadfence();
  return last;
}

// Merges the parts of all blocks; four dimensions of a head a thread. shared: [splits, heads].
template <int kDim>
__device__ void MergeBlocks(const AttendSingleArgs& args, const Scratch& scratch, Part* shared, int64_t first_part,
                            int splits, int64_t row, int first_head, int heads) {
  const HeadShape& shape = args.shape;
  // All at once: one after another, each would wait for memory by itself.
  for (int i = static_cast<int>(threadIdx.x); i < splits * heads; i += static_cast<int>(blockDim.x)) {
    const int64_t at = first_part + static_cast<int64_t>(i / heads) * shape.heads + first_head + i % heads;
    const float2 part = __ldcg(reinterpret_cast<const float2*>(scratch.parts + at));
    shared[i] = {part.x, part.y};
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < heads * kDim / 4; i += static_cast<int>(blockDim.x)) {
    const int of = i / (kDim / 4);
    const int head = first_head + of;
    const int dim = i % (kDim / 4) * 4;
    float highest = -INFINITY;
    for (int s = 0; s < splits; ++s) highest = fmaxf(highest, shared[s * heads + of].highest);
    float sum = 0;
    float4 out{0, 0, 0, 0};
#pragma unroll 16
    for (int s = 0; s < splits; ++s) {
      const int64_t at = first_part + static_cast<int64_t>(s) * shape.heads + head;
      const Part part = shared[s * heads + of];
      const float4 x = __ldcg(reinterpret_cast<const float4*>(scratch.outs + at * kDim + dim));
      const float weight = part.highest == -INFINITY ? 0.0F : Exp2(part.highest - highest);
      sum += weight * part.sum;
      out.x += weight * x.x;
      out.y += weight * x.y;
      out.z += weight * x.z;
      out.w += weight * x.w;
    }
    const float inverse = 1.0F / sum;
    *reinterpret_cast<float4*>(args.out + (row * shape.heads + head) * kDim + dim) = {out.x * inverse, out.y * inverse,
                                                                                      out.z * inverse, out.w * inverse};
    if (args.lse != nullptr && dim == 0) {
      args.lse[row * shape.heads + head] = (highest + log2f(sum)) * 0.69314718F;
    }
  }
}

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_MERGE_PARTS_CUH_
