// Searching the index: the products of voters with the vectors of spans, of which the best of each span is its
// relevance. The inside of index.cu.
#ifndef LTRI_OPS_CUDA_INDEX_SCAN_CUH_
#define LTRI_OPS_CUDA_INDEX_SCAN_CUH_

#include "ops/cuda/index.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/mma.cuh"
#include "ops/cuda/together.cuh"

namespace ltri::cuda {

constexpr int kScanThreads = 128;
template <int kDim>
constexpr int kScanBlocks = kDim <= 128 ? 4 : 2;  // on a processor at once: of wide vectors, registers hold fewer
template <int kDim>
constexpr int kDirectBlocks = kDim <= 128 ? 4 : 2;  // the same, of those that search for a decoded token
constexpr int kScanVectors = 128;  // that a block of threads compares
constexpr int kScanSpans = kScanVectors / kSpanVectors;
constexpr int kWarpVectors = 32;  // of these, a warp's
constexpr int kScanRows = 192;    // voters in shared memory at once

// A decoded token's queries vote as they are.
__host__ __device__ inline bool IsDirect(const VoteArgs& args) { return args.p.rows == 1; }

// Byte of a chunk of 8 dimensions of a row, chunks exchanged by row.
template <int kDim>
__device__ int RowByte(int row, int chunk) {
  return row * kDim * 2 + (((chunk & ~7) | ((chunk ^ row) & 7)) << 4);
}

// 128 vectors of an indexed head as halves.
template <int kDim>
__device__ void LoadVectors(const DeviceIndex& index, int32_t head, int64_t first_span, int64_t spans, char* to) {
  constexpr int kChunks = kDim / 16;  // of a vector, 16 bytes each
  constexpr int kEach = kScanVectors * kChunks / kScanThreads;
  // All loads are under way before the first is waited for.
  uint4 bytes[kEach];
  float scales[kEach];
#pragma unroll
  for (int j = 0; j < kEach; ++j) {
    const int i = j * kScanThreads + static_cast<int>(threadIdx.x);
    const int vector = i / kChunks;
    bytes[j] = {};
    scales[j] = 0;
    if (first_span + vector / kSpanVectors < spans) {
      const int64_t at = (head * index.capacity + first_span) * kSpanVectors + vector;
      bytes[j] = __ldcs(reinterpret_cast<const uint4*>(index.vectors + at * kDim + i % kChunks * 16));
      scales[j] = index.scales[at];
    }
  }
#pragma unroll
  for (int j = 0; j < kEach; ++j) {
    const int i = j * kScanThreads + static_cast<int>(threadIdx.x);
    const uint32_t words[4] = {bytes[j].x, bytes[j].y, bytes[j].z, bytes[j].w};
    __half2 halves[8];
#pragma unroll
    for (int pair = 0; pair < 8; ++pair) {
      const uint32_t two = words[pair / 2] >> (pair % 2 * 16);
      halves[pair] = __floats2half2_rn(static_cast<float>(static_cast<int8_t>(two & 0xFF)) * scales[j],
                                       static_cast<float>(static_cast<int8_t>(two >> 8 & 0xFF)) * scales[j]);
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      *reinterpret_cast<uint4*>(to + RowByte<kDim>(i / kChunks, i % kChunks * 2 + half)) =
          *reinterpret_cast<const uint4*>(halves + 4 * half);
    }
  }
}

// A warp's vectors, as the first operand of products: 16 vectors times 16 dimensions each.
template <int kDim>
using WarpVectors = uint32_t[kWarpVectors / 16][kDim / 16][4];

// Products of the warp's vectors with 8 queries.
using WarpDots = float[kWarpVectors / 16][4];

// The best of each of the warp's 8 spans, in 16 bytes a query: the return value belongs to query 2 (lane % 4), or to
// the next one in the warp's upper half.
__device__ __forceinline__ uint4 BestOfSpans(const WarpDots& dots) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  __half2 pairs[kWarpVectors / 8];  // spans two by two
#pragma unroll
  for (int v = 0; v < kWarpVectors / 16; ++v) {
    __half2 spans[2][2];  // of the lane's vectors and of those 8 further; this half of the warp's, the other's
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      __half2 best = __floats2half2_rn(dots[v][2 * r], dots[v][2 * r + 1]);
      best = __hmax2(best, __shfl_xor_sync(~0U, best, 4));
      best = __hmax2(best, __shfl_xor_sync(~0U, best, 8));
      const __half2 other = __shfl_xor_sync(~0U, best, 16);
      spans[r][0] = lane < 16 ? best : other;
      spans[r][1] = lane < 16 ? other : best;
      pairs[2 * v + r] = lane < 16 ? __lows2half2(spans[r][0], spans[r][1]) : __highs2half2(spans[r][0], spans[r][1]);
    }
  }
  return *reinterpret_cast<const uint4*>(pairs);
}

// The same for queries 8 * tile .. + 7 in shared memory.
template <int kDim>
__device__ __forceinline__ uint4 BestProducts(const WarpVectors<kDim>& vectors, uint32_t queries, int tile,
                                              float scale) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  WarpDots dots = {};
#pragma unroll
  for (int step = 0; step < kDim / 16; step += 2) {
    uint32_t q[4];
    LoadMatrix4(q, queries + RowByte<kDim>(tile * 8 + lane % 8, step * 2 + lane / 8));
#pragma unroll
    for (int part = 0; part < 2; ++part) {
#pragma unroll
      for (int v = 0; v < kWarpVectors / 16; ++v)
        Multiply(dots[v], vectors[v][step + part], q[2 * part], q[2 * part + 1]);
    }
  }
#pragma unroll
  for (auto& of_tile : dots) {
#pragma unroll
    for (float& dot : of_tile) dot *= scale;
  }
  return BestOfSpans(dots);
}

// Spans of a row of relevance.
__host__ __device__ inline int64_t Stride(int64_t most_spans) {
  return CeilDiv<int64_t>(most_spans, kScanSpans) * kScanSpans;
}

// The voters that ask one indexed head, in shared memory: row `first` of them and those behind it. Rows behind the
// last are the last again.
template <int kDim>
__device__ void LoadQueries(const VoteArgs& args, int64_t first_voter, int64_t first, int64_t count, int tiles,
                            char* to) {
  const auto* queries = static_cast<const __half*>(args.queries) + first_voter * args.rows * kDim;
  for (int i = static_cast<int>(threadIdx.x); i < tiles * kDim; i += kScanThreads) {  // 8 rows of kDim / 8 chunks
    const int row = i / (kDim / 8);
    const int chunk = i % (kDim / 8);
    const int64_t from = min(first + row, count - 1);
    CopyAsync16(SharedAddress(to + RowByte<kDim>(row, chunk)), queries + from * kDim + chunk * 8);
  }
  CommitCopies();
  WaitForCopies<0>();
}

// relevance[row][span]: a block of threads compares 32 spans with all rows of the voters that ask an indexed head. A
// warp keeps its vectors in registers; rows take their place in shared memory.
template <int kDim, int kMost>
__global__ void __launch_bounds__(kScanThreads, kScanBlocks<kDim>)
    ScanKernel(const __grid_constant__ Together<VoteArgs, kMost> all) {
  LetNextStart();
  const VoteArgs& args = all.of[blockIdx.z];
  const VotingHeads& heads = args.index.heads;
  const auto head = static_cast<int32_t>(blockIdx.y);
  if (head >= heads.indexed) return;
  const int64_t first_voter = heads.first[head];
  const int64_t count = (heads.first[head + 1] - first_voter) * args.rows;
  WaitForInputs();
  extern __shared__ __align__(128) char shared[];
  if (blockIdx.x == 0 && head == 0 && threadIdx.x == 0) *args.highest = 0;
  const int64_t spans = *args.index.spans;
  const int64_t stride = Stride(args.most_spans);
  const int64_t first_span = static_cast<int64_t>(blockIdx.x) * kScanSpans;
  if (first_span >= spans) return;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  auto* relevance = static_cast<__half*>(args.relevance) + first_voter * args.rows * stride + first_span +
                    warp * (kWarpVectors / kSpanVectors);
  LoadVectors<kDim>(args.index, head, first_span, spans, shared);
  __syncthreads();
  WarpVectors<kDim> vectors;
#pragma unroll
  for (int v = 0; v < kWarpVectors / 16; ++v) {
#pragma unroll
    for (int step = 0; step < kDim / 16; ++step) {
      const int row = warp * kWarpVectors + v * 16 + lane % 16;
      LoadMatrix4(vectors[v][step], SharedAddress(shared) + RowByte<kDim>(row, step * 2 + lane / 16));
    }
  }
  for (int64_t first = 0; first < count; first += kScanRows) {
    const auto tiles = static_cast<int>(CeilDiv<int64_t>(min(count - first, int64_t{kScanRows}), 8));
    __syncthreads();
    LoadQueries<kDim>(args, first_voter, first, count, tiles, shared);
    __syncthreads();
    for (int tile = 0; tile < tiles; ++tile) {
      const uint4 best = BestProducts<kDim>(vectors, SharedAddress(shared), tile, args.shape.scale);
      const int64_t row = first + tile * 8 + lane % 4 * 2 + lane / 16;
      if (lane % 16 < 4 && row < count) *reinterpret_cast<uint4*>(relevance + row * stride) = best;
    }
  }
}

// Four signed bytes as halves.
__device__ __forceinline__ void BytesToHalves(uint32_t bytes, uint32_t& low, uint32_t& high) {
  // Beside the exponent of 1024, a byte is that and itself.
  const uint32_t raised = bytes ^ 0x80808080U;
  const __half2 offset = __half2half2(__ushort_as_half(0x6480));  // 1024 + 128
  const uint32_t first = __byte_perm(raised, 0x64646464U, 0x4140);
  const uint32_t second = __byte_perm(raised, 0x64646464U, 0x4342);
  const __half2 a = __hsub2(*reinterpret_cast<const __half2*>(&first), offset);
  const __half2 b = __hsub2(*reinterpret_cast<const __half2*>(&second), offset);
  low = *reinterpret_cast<const uint32_t*>(&a);
  high = *reinterpret_cast<const uint32_t*>(&b);
}

// A warp's vectors as they lie. In which order dimensions are summed does not matter, so each lane of four has the 16
// bytes of a row that it can load at once.
template <int kDim>
struct RawVectors {
  static constexpr int kParts = kDim / 64;  // of 16 bytes that a lane has of a row
  uint4 bytes[kWarpVectors / 8][kParts];
  float scales[kWarpVectors / 8];

  __device__ __forceinline__ void Load(const DeviceIndex& index, int32_t head, int64_t first_span, int64_t spans) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
    for (int i = 0; i < kWarpVectors / 8; ++i) {
      const int vector = i * 8 + lane / 4;
      scales[i] = 0;
#pragma unroll
      for (uint4& part : bytes[i]) part = {};
      if (first_span + vector / kSpanVectors >= spans) continue;
      const int64_t at = (head * index.capacity + first_span) * kSpanVectors + vector;
#pragma unroll
      for (int part = 0; part < kParts; ++part) {
        bytes[i][part] = __ldcs(reinterpret_cast<const uint4*>(index.vectors + at * kDim + (part * 4 + lane % 4) * 16));
      }
      scales[i] = index.scales[at];
    }
  }

  // Products with a query a row of lanes, of which each lane takes the same dimensions as of the vectors.
  __device__ __forceinline__ void Multiply(const float* query, float scale, WarpDots& dots) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
#pragma unroll
      for (int word = 0; word < 4; ++word) {
        const float4 x = *reinterpret_cast<const float4*>(query + (part * 4 + lane % 4) * 16 + word * 4);
        const uint32_t q[2] = {ClampedHalves(x.x, x.y), ClampedHalves(x.z, x.w)};
#pragma unroll
        for (int v = 0; v < kWarpVectors / 16; ++v) {
          const uint4& first = bytes[2 * v][part];
          const uint4& second = bytes[2 * v + 1][part];
          const uint32_t words[2][4] = {{first.x, first.y, first.z, first.w}, {second.x, second.y, second.z, second.w}};
          uint32_t a[4];
          BytesToHalves(words[0][word], a[0], a[2]);
          BytesToHalves(words[1][word], a[1], a[3]);
          ltri::cuda::Multiply(dots[v], a, q[0], q[1]);
        }
      }
    }
#pragma unroll
    for (int v = 0; v < kWarpVectors / 16; ++v) {
#pragma unroll
      for (int c = 0; c < 4; ++c) dots[v][c] *= scales[2 * v + c / 2] * scale;
    }
  }

  static __device__ __forceinline__ uint32_t ClampedHalves(float a, float b) {
    const __half2 pair = __halves2half2(Numbers<__half>::From(a), Numbers<__half>::From(b));
    return *reinterpret_cast<const uint32_t*>(&pair);
  }
};

// The same for a decoded token, whose queries are few: vectors go from memory to the products without a stop in shared
// memory. A block of threads takes groups of 32 spans in turn and has the next under way.
template <int kDim, int kMost>
__global__ void __launch_bounds__(kScanThreads, kDirectBlocks<kDim>)
    ScanDirectKernel(const __grid_constant__ Together<VoteArgs, kMost> all) {
  LetNextStart();
  const VoteArgs& args = all.of[blockIdx.z];
  const VotingHeads& heads = args.index.heads;
  const auto head = static_cast<int32_t>(blockIdx.y);
  if (head >= heads.indexed) return;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t of_warp = threadIdx.x / kWarp * (kWarpVectors / kSpanVectors);
  const int64_t step = static_cast<int64_t>(gridDim.x) * kScanSpans;
  int64_t first_span = static_cast<int64_t>(blockIdx.x) * kScanSpans + of_warp;
  // What the index holds was there before the step.
  const int64_t spans = *args.index.spans;
  RawVectors<kDim> next;
  next.Load(args.index, head, first_span, spans);
  WaitForInputs();
  if (blockIdx.x == 0 && head == 0 && threadIdx.x == 0) *args.highest = 0;
  const int64_t stride = Stride(args.most_spans);
  const int32_t first_voter = heads.first[head];
  const int32_t count = heads.first[head + 1] - first_voter;
  for (; first_span < spans; first_span += step) {
    const RawVectors<kDim> vectors = next;
    next.Load(args.index, head, first_span + step, spans);
    for (int32_t first = 0; first < count; first += 8) {
      const int32_t voter = first_voter + min(first + lane / 4, count - 1);
      WarpDots dots = {};
      vectors.Multiply(args.p.data + static_cast<int64_t>(heads.heads[voter]) * kDim, args.shape.scale, dots);
      const uint4 best = BestOfSpans(dots);
      const int32_t row = first + lane % 4 * 2 + lane / 16;
      if (lane % 16 < 4 && row < count) {
        auto* to = static_cast<__half*>(args.relevance) + (first_voter + row) * stride + first_span;
        *reinterpret_cast<uint4*>(to) = best;
      }
    }
  }
}

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_INDEX_SCAN_CUH_
