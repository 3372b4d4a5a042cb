// Matrix instructions of a warp (sm_80 and newer), asynchronous copies, and the layout of tiles.
//
// A tile is 64 rows of halves: [head_dim / 64][64 rows][128 bytes], the 16-byte chunks of a row exchanged by its number
// modulo 8. Warps and warp groups read it without bank conflicts as it lies, so tiles are copied as they are.
#ifndef LTRI_OPS_CUDA_MMA_CUH_
#define LTRI_OPS_CUDA_MMA_CUH_

#include <cuda_fp16.h>

#include <cstdint>

namespace ltri::cuda {

constexpr int kTileRows = 64;
constexpr int kSlabBytes = kTileRows * 128;  // 64 dimensions of a tile

// Byte of 16-byte chunk `chunk` (of 8) of row `row` in a slab.
__host__ __device__ inline int ChunkByte(int row, int chunk) { return row * 128 + ((chunk ^ (row & 7)) << 4); }

// Half of a tile that holds dimension `dim` of row `row`.
__host__ __device__ inline int TileHalf(int row, int dim) {
  return (dim / 64) * (kSlabBytes / 2) + ChunkByte(row, dim % 64 / 8) / 2 + dim % 8;
}

// Byte of the chunk of 8 dimensions `chunk` of a row of a tile.
__device__ inline uint32_t TileByte(int row, int chunk) {
  return static_cast<uint32_t>((chunk / 8) * kSlabBytes + ChunkByte(row, chunk % 8));
}

__device__ inline uint32_t SharedAddress(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

__device__ inline void CopyAsync16(uint32_t to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}
// How the second-level cache takes what a decoded token reads only once: weights, keys. They would push out what is
// read again, the code of kernels above all.
__device__ inline uint64_t ReadOnce() {
  uint64_t policy;
  asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
  return policy;
}
__device__ inline void CopyAsync16(uint32_t to, const void* from, uint64_t policy) {
  asm volatile("cp.async.cg.shared.global.L2::cache_hint [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "l"(policy)
               : "memory");
}
__device__ inline void CommitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits until at most `kPending` groups are under way.
template <int kPending>
__device__ inline void WaitForCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

__device__ inline void LoadMatrix4(uint32_t (&to)[4], uint32_t from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(from)
               : "memory");
}
__device__ inline void LoadMatrix4Transposed(uint32_t (&to)[4], uint32_t from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(from)
               : "memory");
}

// c += a b.  a: [16, 16], b: [16, 8], c: [16, 8].
__device__ inline void Multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, "
      "%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// An 8 x 8 matrix of halves, a pair a lane, turned over its diagonal.
__device__ inline uint32_t Transpose(uint32_t pair) {
  uint32_t turned;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(turned) : "r"(pair));
  return turned;
}

__device__ inline uint32_t PackHalves(float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

__device__ inline float Exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_MMA_CUH_
