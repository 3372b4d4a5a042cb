#include "ops/cuda/heads.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/mma.cuh"
#include "ops/cuda/store.cuh"
#include "ops/cuda/together.cuh"

namespace ltri::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kTilePair = 2 * kTileRows;  // attention reads so many keys at a time

__host__ __device__ int64_t RowWidth(const HeadShape& shape) {
  return static_cast<int64_t>(shape.heads + 2 * shape.kv_heads) * shape.head_dim;
}

// A warp a head.
__global__ void NormHeadsKernel(HeadShape shape, Projections p, int32_t first, int32_t count, float dims,
                                const float* weight, float epsilon) {
  const int64_t head = (blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x) / kWarp;
  if (head >= p.rows * count) return;
  float* at = p.data + head / count * RowWidth(shape) + (first + head % count) * shape.head_dim;
  float sum = 0;
  for (int i = static_cast<int>(threadIdx.x) % kWarp; i < shape.head_dim; i += kWarp) sum += at[i] * at[i];
  const float inverse = rsqrtf(WarpSum(sum) / dims + epsilon);
  for (int i = static_cast<int>(threadIdx.x) % kWarp; i < shape.head_dim; i += kWarp) at[i] *= inverse * weight[i];
}

// A block of threads a token.
__global__ void AppendKeysKernel(HeadShape shape, Projections p, const SequenceRef* sequence, int64_t layer) {
  const LayerStore store(*sequence, shape, layer);
  const int32_t token = sequence->views[layer].end - static_cast<int32_t>(p.rows) + static_cast<int32_t>(blockIdx.x);
  const int32_t width = shape.kv_heads * shape.head_dim;
  const float* from = p.data + blockIdx.x * RowWidth(shape) + static_cast<int64_t>(shape.heads) * shape.head_dim;
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < width; i += kThreads) {
    __half* key = store.Key(i / shape.head_dim, token) + i % shape.head_dim;
    key[0] = Numbers<__half>::From(from[i]);
    key[store.ToValue()] = Numbers<__half>::From(from[width + i]);
  }
}

// A block of threads a token; a thread turns a pair of dimensions.
__global__ void TurnQueriesKernel(HeadShape shape, Projections p, const SequenceRef* sequence, int64_t layer,
                                  RopeView rope, __half* q, int64_t head_halves) {
  const LayerView view = sequence->views[layer];
  const auto row = static_cast<int32_t>(blockIdx.x);
  const int32_t half = shape.head_dim / 2;
  const int32_t position = view.local_position + view.end - static_cast<int32_t>(p.rows) + row - view.local_begin;
  const float* turn = rope.table + static_cast<int64_t>(position) * shape.head_dim;
  const float* from = p.data + row * RowWidth(shape);
  __half* tile = q + static_cast<int64_t>(row / kTileRows) * kTileRows * shape.head_dim;
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < shape.heads * half; i += kThreads) {
    const int32_t head = i / half;
    const int32_t dim = i % half;
    const float x = from[head * shape.head_dim + dim];
    const float y = from[head * shape.head_dim + half + dim];
    const float c = turn[dim];
    const float s = turn[half + dim];
    __half* to = tile + head * head_halves;
    to[TileHalf(row % kTileRows, dim)] = Numbers<__half>::From(x * c - y * s);
    to[TileHalf(row % kTileRows, half + dim)] = Numbers<__half>::From(y * c + x * s);
  }
}

struct Halves8 {
  __half2 pairs[4];
};

// Turns 8 dimensions with the 8 half a head behind them. turn: cosines of the 8; sines lie `half` behind.
__device__ void Turn8(Halves8& low, Halves8& high, const float* turn, int half) {
  float c[8];
  float s[8];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    *reinterpret_cast<float4*>(c + 4 * i) = *reinterpret_cast<const float4*>(turn + 4 * i);
    *reinterpret_cast<float4*>(s + 4 * i) = *reinterpret_cast<const float4*>(turn + half + 4 * i);
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float2 x = __half22float2(low.pairs[i]);
    const float2 y = __half22float2(high.pairs[i]);
    low.pairs[i] = __floats2half2_rn(x.x * c[2 * i] - y.x * s[2 * i], x.y * c[2 * i + 1] - y.y * s[2 * i + 1]);
    high.pairs[i] = __floats2half2_rn(y.x * c[2 * i] + x.x * s[2 * i], y.y * c[2 * i + 1] + x.y * s[2 * i + 1]);
  }
}

// A block of threads a tile of a head; a thread turns 8 pairs of dimensions of a key and copies 16 of its value.
__global__ void GatherKeysKernel(HeadShape shape, const SequenceRef* sequence, int64_t layer, RopeView rope,
                                 int64_t head_halves, __half* keys, __half* values) {
  const ViewKeys view(*sequence, layer);
  const int32_t count = view.count();
  const auto tile = static_cast<int32_t>(blockIdx.x);
  if (tile * kTileRows >= CeilDiv(count, kTilePair) * kTilePair) return;
  const LayerStore store(*sequence, shape, layer);
  const auto kv_head = static_cast<int32_t>(blockIdx.y);
  const int half = shape.head_dim / 2;
  const int chunks = half / 8;
  const int64_t at = kv_head * head_halves + static_cast<int64_t>(tile) * kTileRows * shape.head_dim;
  for (int i = static_cast<int>(threadIdx.x); i < kTileRows * chunks; i += kThreads) {
    const int row = i / chunks;
    const int dim = i % chunks * 8;
    const int32_t key = tile * kTileRows + row;
    Halves8 k[2] = {};
    Halves8 v[2] = {};
    if (key < count) {
      const __half* from = store.Key(kv_head, view.Token(key)) + dim;
      const __half* from_value = from + store.ToValue();
      k[0] = *reinterpret_cast<const Halves8*>(__builtin_assume_aligned(from, 16));
      k[1] = *reinterpret_cast<const Halves8*>(__builtin_assume_aligned(from + half, 16));
      v[0] = *reinterpret_cast<const Halves8*>(__builtin_assume_aligned(from_value, 16));
      v[1] = *reinterpret_cast<const Halves8*>(__builtin_assume_aligned(from_value + half, 16));
      Turn8(k[0], k[1], rope.table + static_cast<int64_t>(view.Position(key)) * shape.head_dim + dim, half);
    }
#pragma unroll
    for (int part = 0; part < 2; ++part) {
      const int64_t to = at + TileHalf(row, dim + part * half);
      *reinterpret_cast<uint4*>(keys + to) = *reinterpret_cast<const uint4*>(&k[part]);
      *reinterpret_cast<uint4*>(values + to) = *reinterpret_cast<const uint4*>(&v[part]);
    }
  }
}

// A block of threads takes a slot after the other; a thread copies 16 bytes at a time.
template <int kMost>
__global__ void CacheFarKeysKernel(const __grid_constant__ Together<CacheArgs, kMost> all) {
  LetNextStart();
  WaitForInputs();
  const CacheArgs& args = all.of[blockIdx.y];
  const LayerStore store(*args.sequence, args.shape, args.layer);
  const int32_t chunks = args.shape.head_dim / 8;
  for (auto i = static_cast<int32_t>(blockIdx.x); i < args.missing[0]; i += static_cast<int32_t>(gridDim.x)) {
    const int32_t slot = args.missing[1 + i];
    const int32_t token = args.tokens[slot];
    for (auto j = static_cast<int32_t>(threadIdx.x); j < args.shape.kv_heads * 2 * chunks; j += kThreads) {
      const int32_t kv_head = j / (2 * chunks);
      const int64_t at = j / chunks % 2 * store.ToValue() + j % chunks * 8;
      *reinterpret_cast<uint4*>(store.Key(kv_head, kMostTokens + slot) + at) =
          *reinterpret_cast<const uint4*>(store.Key(kv_head, token) + at);
    }
  }
}

dim3 Grid(int64_t x, int64_t y = 1) { return dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)); }

}  // namespace

int64_t TileBytes(const HeadShape& shape, int64_t rows) {
  return CeilDiv<int64_t>(rows, kTilePair) * kTilePair * shape.head_dim * 2;
}

void NormHeads(Stream stream, const HeadShape& shape, const Projections& p, int32_t first, int32_t count, int64_t dims,
               const float* weight, float epsilon) {
  Launch(stream, "normalising heads", {Grid(CeilDiv<int64_t>(p.rows * count, kThreads / kWarp)), kThreads},
         NormHeadsKernel, shape, p, first, count, static_cast<float>(dims), weight, epsilon);
}

void AppendKeys(Stream stream, const HeadShape& shape, const Projections& p, const SequenceRef* sequence,
                int64_t layer) {
  Launch(stream, "storing keys", {Grid(p.rows), kThreads}, AppendKeysKernel, shape, p, sequence, layer);
}

void TurnQueries(Stream stream, const HeadShape& shape, const Projections& p, const SequenceRef* sequence,
                 int64_t layer, const RopeView& rope, void* q) {
  Launch(stream, "turning queries", {Grid(p.rows), kThreads}, TurnQueriesKernel, shape, p, sequence, layer, rope,
         static_cast<__half*>(q), TileBytes(shape, p.rows) / 2);
}

void GatherKeys(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer, const RopeView& rope,
                int64_t most, void* keys, void* values) {
  const int64_t halves = TileBytes(shape, most) / 2;
  Launch(stream, "gathering keys", {Grid(halves / shape.head_dim / kTileRows, shape.kv_heads), kThreads},
         GatherKeysKernel, shape, sequence, layer, rope, halves, static_cast<__half*>(keys),
         static_cast<__half*>(values));
}

void CacheFarKeys(Stream stream, std::span<const CacheArgs> args) {
  constexpr int kBlocks = 512;
  StartTogether(args, [&](const auto& some, int count) {
    Launch(stream, "caching keys", {Grid(kBlocks, count), kThreads, 0, true},
           CacheFarKeysKernel<sizeof(some.of) / sizeof(CacheArgs)>, some);
  });
}

}  // namespace ltri::cuda
