// Blocks of threads that work as one: a cluster (compute capability 9.0 and newer), elsewhere a block by itself.
#ifndef LTRI_OPS_CUDA_CLUSTER_CUH_
#define LTRI_OPS_CUDA_CLUSTER_CUH_

#include <cstdint>

namespace ltri::cuda {

constexpr int kClusterBlocks = 8;  // as many as every card with clusters takes

__device__ inline int32_t ClusterRank() {
#if __CUDA_ARCH__ >= 900
  int32_t rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
#else
  return 0;
#endif
}

__device__ inline int32_t ClusterSize() {
#if __CUDA_ARCH__ >= 900
  int32_t size;
  asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
  return size;
#else
  return 1;
#endif
}

// Waits for all threads of the cluster; what they wrote before is seen after.
__device__ inline void ClusterSync() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive;\nbarrier.cluster.wait;" ::: "memory");
#else
  __syncthreads();
#endif
}

// What block `rank` has in its shared memory where this block has `*here`.
template <typename T>
__device__ T InBlock(const T* here, int32_t rank) {
#if __CUDA_ARCH__ >= 900
  uint64_t there;
  asm("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"(here), "r"(rank));
  return *reinterpret_cast<const volatile T*>(there);
#else
  return *here;
#endif
}

// combine(... combine(first, *here of block 0) ..., *here of the last block). The reads are under way together.
template <typename T, typename Combine>
__device__ T OverCluster(const T* here, T first, Combine&& combine) {
  T parts[kClusterBlocks];
#pragma unroll
  for (int rank = 0; rank < kClusterBlocks; ++rank) {
    if (rank < ClusterSize()) parts[rank] = InBlock(here, rank);
  }
#pragma unroll
  for (int rank = 0; rank < kClusterBlocks; ++rank) {
    if (rank < ClusterSize()) first = combine(first, parts[rank]);
  }
  return first;
}

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_CLUSTER_CUH_
