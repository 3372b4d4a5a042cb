// Blocks of threads that work as one: a cluster (compute capability 9.0 and newer), or a block by itself.
#ifndef LTRI_OPS_CUDA_CLUSTER_CUH_
#define LTRI_OPS_CUDA_CLUSTER_CUH_

#include <cstdint>

namespace ltri::cuda {

constexpr int kClusterBlocks = 8;  // as many as every card with clusters takes

// kBlocks: 1 or kClusterBlocks, the latter only where clusters are.
template <int kBlocks>
struct Team {
  static __device__ int32_t Rank() {
    int32_t rank = 0;
#if __CUDA_ARCH__ >= 900
    if constexpr (kBlocks > 1) asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
#endif
    return rank;
  }

  // Waits for all threads of the team; what they wrote before is seen after.
  static __device__ void Sync() {
#if __CUDA_ARCH__ >= 900
    if constexpr (kBlocks > 1) {
      asm volatile("barrier.cluster.arrive;\nbarrier.cluster.wait;" ::: "memory");
      return;
    }
#endif
    __syncthreads();
  }

  // Where block `rank` has in its shared memory what this block has at `here`.
  template <typename T>
  static __device__ T* In(int32_t rank, T* here) {
#if __CUDA_ARCH__ >= 900
    if constexpr (kBlocks > 1) {
      uint64_t there;
      asm("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"(here), "r"(rank));
      return reinterpret_cast<T*>(there);
    }
#endif
    return here;
  }

  // combine(... combine(first, *here of block 0) ..., *here of the last block). The reads are under way together.
  template <typename T, typename Combine>
  static __device__ T Over(T* here, T first, Combine&& combine) {
    T parts[kBlocks];
#pragma unroll
    for (int rank = 0; rank < kBlocks; ++rank) parts[rank] = *In(rank, here);
#pragma unroll
    for (int rank = 0; rank < kBlocks; ++rank) first = combine(first, parts[rank]);
    return first;
  }
};

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_CLUSTER_CUH_
