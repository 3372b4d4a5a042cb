// A block of threads that adds tiles of one KV head's keys to the softmax of the queries that share it: the inside of
// attend_single.cu.
//
// Keys are turned where they are multiplied. What counts is the distance of query and key, so 32 keys at consecutive
// positions are turned by 0 .. 31 only, from a table in shared memory, and the query by the rest of the way.
#ifndef LTRI_OPS_CUDA_ATTEND_TILE_CUH_
#define LTRI_OPS_CUDA_ATTEND_TILE_CUH_

#include <cmath>

#include "ops/cuda/attend.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/mma.cuh"
#include "ops/cuda/store.cuh"

namespace ltri::cuda::single {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
constexpr int kKeys = kTileRows;  // of a tile; a warp takes 16
constexpr int kTurned = 32;       // keys that share a turned query
constexpr int kLongStages = 3;    // tiles in shared memory, of many keys
constexpr int kShortStages = 2;   // of few: a block fits a processor beside one of the product before; of wide heads
// Blocks of threads that fit a processor together.
template <int kDim>
constexpr int kBlocksPerProcessor = kDim <= 128 ? 2 : 1;

template <int kDim>
constexpr int kTileBytes = kKeys* kDim * 2;
// kHeadTiles: times 8 heads share a KV head at most.
template <int kDim, int kHeadTiles>
constexpr int kQueryBytes = 8 * kHeadTiles* kDim * 2;

// Shared memory: stages of keys and values; the queries turned for both halves of a tile, for two tiles; small turns.
template <int kDim, int kHeadTiles, int kStages>
constexpr int kSharedBytes = 2 * kStages* kTileBytes<kDim> + 4 * kQueryBytes<kDim, kHeadTiles> + kTurned* kDim * 2;

// Cosines and sines for the dimensions that a thread's part of a product holds: 2t, 2t + 1, 2t + 8, 2t + 9 of a step of
// 16, for its key.
struct Turns {
  __half2 c[2];
  __half2 s[2];
};

template <int kDim, int kHeadTiles, int kStages>
struct Block {
  const AttendSingleArgs& args;
  const SequenceRef& sequence;
  ViewKeys view;
  LayerStore store;
  int kv_head;
  int heads;       // that share it
  int first_head;  // of them
  int count;       // keys
  int begin;       // tile
  int end;
  const float* q;  // [heads, kDim] of this KV head
  uint32_t stages;
  char* memory;  // the same
  char* queries;
  char* turns;

  __device__ uint32_t Keys(int tile) const { return stages + (tile - begin) % kStages * 2 * kTileBytes<kDim>; }
  // half: of the tile
  __device__ char* Query(int tile, int half) const {
    return queries + (tile % 2 * 2 + half) * kQueryBytes<kDim, kHeadTiles>;
  }
  // Tiles with keys at positions that do not follow each other turn keys and query all the way.
  __device__ bool IsScattered(int tile) const { return view.view.far_true != 0 && tile * kKeys < view.view.far; }
  __device__ int Position(int key) const { return view.view.local_position - view.view.far + key; }
};

// Byte of a thread's small turns of key `row` for a step; odd rows exchange halves for the banks' sake.
template <int kDim>
__device__ int TurnByte(int row, int step, int t) {
  return row * kDim * 2 + (((step * 4 + t) ^ ((row & 1) << 2)) << 4);
}

// row: of the rotary table.
template <int kDim>
__device__ Turns ReadTurns(const float* row, int step, int t) {
  Turns turns;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int dim = step * 16 + i * 8 + t * 2;
    const float2 c = *reinterpret_cast<const float2*>(row + dim);
    const float2 s = *reinterpret_cast<const float2*>(row + kDim / 2 + dim);
    turns.c[i] = __floats2half2_rn(c.x, c.y);
    turns.s[i] = __floats2half2_rn(s.x, s.y);
  }
  return turns;
}

// The table of turns by 0 .. 31.
template <int kDim>
__device__ void FillTurns(const RopeView& rope, char* turns) {
  constexpr int kChunks = kDim / 8;
  for (int i = static_cast<int>(threadIdx.x); i < kTurned * kChunks; i += kThreads) {
    const int row = i / kChunks;
    const int step = i % kChunks / 4;
    const int t = i % 4;
    *reinterpret_cast<Turns*>(turns + TurnByte<kDim>(row, step, t)) = ReadTurns<kDim>(rope.table + row * kDim, step, t);
  }
}

// Where a thread's part of a tile's keys is: found a tile ahead, since finding waits for memory twice.
template <int kDim>
struct Places {
  static constexpr int kChunks = kDim / 8;
  static constexpr int kRowsAtOnce = kThreads / kChunks;
  static constexpr int kCount = kKeys / kRowsAtOnce;
  const __half* at[kCount];
};

// The step's own key, the last, may not be there yet: it and those behind it are the one before.
template <int kDim, int kHeadTiles, int kStages>
__device__ void Find(const Block<kDim, kHeadTiles, kStages>& b, int tile, Places<kDim>& places) {
  if (tile >= b.end) return;
  const int chunk = static_cast<int>(threadIdx.x) % Places<kDim>::kChunks;
#pragma unroll
  for (int i = 0; i < Places<kDim>::kCount; ++i) {
    const int row = i * Places<kDim>::kRowsAtOnce + static_cast<int>(threadIdx.x) / Places<kDim>::kChunks;
    places.at[i] = b.store.Key(b.kv_head, b.view.Token(min(tile * kKeys + row, max(0, b.count - 2)))) + chunk * 8;
  }
}

// Starts the copies of a tile's keys and values.
template <int kDim, int kHeadTiles, int kStages>
__device__ void Fetch(const Block<kDim, kHeadTiles, kStages>& b, int tile, const Places<kDim>& places) {
  if (tile < b.end) {
    const int chunk = static_cast<int>(threadIdx.x) % Places<kDim>::kChunks;
    const uint32_t to = b.Keys(tile) + chunk / 8 * kSlabBytes;
    const uint64_t policy = ReadOnce();
#pragma unroll
    for (int i = 0; i < Places<kDim>::kCount; ++i) {
      const int row = i * Places<kDim>::kRowsAtOnce + static_cast<int>(threadIdx.x) / Places<kDim>::kChunks;
      const uint32_t at = to + ChunkByte(row, chunk % 8);
      CopyAsync16(at, places.at[i], policy);
      CopyAsync16(at + kTileBytes<kDim>, places.at[i] + b.store.ToValue(), policy);
    }
  }
  CommitCopies();
}

// The step's own key and value go to the store, for the tokens to come.
template <int kDim, int kHeadTiles, int kStages>
__device__ void AppendOwn(const Block<kDim, kHeadTiles, kStages>& b) {
  const float* key = b.q + (b.args.shape.heads + b.kv_head - b.first_head) * kDim;
  __half* to = b.store.Key(b.kv_head, b.view.view.end - 1);
  for (int i = static_cast<int>(threadIdx.x); i < kDim; i += kThreads) {
    to[i] = Numbers<__half>::From(key[i]);
    to[i + b.store.ToValue()] = Numbers<__half>::From(key[b.args.shape.kv_heads * kDim + i]);
  }
}

// The last tile was read from the store before they were there: puts them into their row of it, and of a text's first
// token into all, since what is behind it counts nothing but must be numbers.
template <int kDim, int kHeadTiles, int kStages>
__device__ void PutOwn(const Block<kDim, kHeadTiles, kStages>& b) {
  const float* key = b.q + (b.args.shape.heads + b.kv_head - b.first_head) * kDim;
  char* tile = b.memory + (b.end - 1 - b.begin) % kStages * 2 * kTileBytes<kDim>;
  const int row = (b.count - 1) % kKeys;
  const int rows = b.count == 1 ? kKeys : 1;
  for (int i = static_cast<int>(threadIdx.x); i < rows * kDim; i += kThreads) {
    const int dim = i % kDim;
    auto* to = reinterpret_cast<__half*>(tile + TileByte(row + i / kDim, dim / 8)) + dim % 8;
    to[0] = Numbers<__half>::From(key[dim]);
    to[kTileBytes<kDim> / 2] = Numbers<__half>::From(key[b.args.shape.kv_heads * kDim + dim]);
  }
  __syncthreads();
}

// Byte of a dimension of a query in shared memory: rows of kDim halves, chunks exchanged by row.
template <int kDim>
__device__ int QueryByte(int head, int dim) {
  return head * kDim * 2 + (((dim / 8) ^ (head & 7)) << 4) + dim % 8 * 2;
}

// A thread turns one pair of dimensions of all heads, for one half of a tile (head_dim 64: every other head; head_dim
// 256: for both halves).
template <int kDim>
struct QueryTurn {
  static constexpr int kHalves = kKeys / kTurned;
  static constexpr int kEach = kDim / 2 * kHalves <= kThreads ? 1 : kHalves;  // halves of a thread
  static constexpr int kThreadsAPair = kThreads / (kDim / 2) / (kHalves / kEach);
  static_assert(kThreadsAPair >= 1);
  float c[kEach];
  float s[kEach];

  static __device__ int dim() { return static_cast<int>(threadIdx.x) % (kDim / 2); }
  static __device__ int half(int i) { return kEach > 1 ? i : static_cast<int>(threadIdx.x) / (kDim / 2) % kHalves; }
  static __device__ int first_head() { return static_cast<int>(threadIdx.x) / (kDim / 2) / (kHalves / kEach); }
};

// Loads the turn that the query needs for a tile, a tile ahead.
template <int kDim, int kHeadTiles, int kStages>
__device__ void FindTurn(const Block<kDim, kHeadTiles, kStages>& b, int tile, QueryTurn<kDim>& turn) {
  if (tile >= b.end) return;
  const int own = b.Position(b.count - 1);
#pragma unroll
  for (int i = 0; i < turn.kEach; ++i) {
    const int by = b.IsScattered(tile) ? own : max(0, own - b.Position(tile * kKeys + turn.half(i) * kTurned));
    const float* row = b.args.rope.table + static_cast<int64_t>(by) * kDim;
    turn.c[i] = row[turn.dim()];
    turn.s[i] = row[kDim / 2 + turn.dim()];
  }
}

template <int kDim, int kHeadTiles, int kStages>
__device__ void TurnQueries(const Block<kDim, kHeadTiles, kStages>& b, int tile, const QueryTurn<kDim>& turn) {
  const int dim = turn.dim();
#pragma unroll 4
  for (int head = turn.first_head(); head < 8 * kHeadTiles; head += turn.kThreadsAPair) {
    float x = 0;
    float y = 0;
    if (head < b.heads) {
      x = b.q[head * kDim + dim];
      y = b.q[head * kDim + kDim / 2 + dim];
    }
#pragma unroll
    for (int i = 0; i < turn.kEach; ++i) {
      char* to = b.Query(tile, turn.half(i));
      const float c = turn.c[i];
      const float s = turn.s[i];
      *reinterpret_cast<__half*>(to + QueryByte<kDim>(head, dim)) = Numbers<__half>::From(x * c - y * s);
      *reinterpret_cast<__half*>(to + QueryByte<kDim>(head, kDim / 2 + dim)) = Numbers<__half>::From(y * c + x * s);
    }
  }
}

__device__ inline void TurnPair(uint32_t& low, uint32_t& high, __half2 c, __half2 s) {
  const __half2 x = *reinterpret_cast<const __half2*>(&low);
  const __half2 y = *reinterpret_cast<const __half2*>(&high);
  const __half2 a = __hfma2(__hneg2(y), s, __hmul2(x, c));
  const __half2 b = __hfma2(x, s, __hmul2(y, c));
  low = *reinterpret_cast<const uint32_t*>(&a);
  high = *reinterpret_cast<const uint32_t*>(&b);
}

// scores of the warp's 16 keys: [16 keys, 8 heads] for each tile of heads.
template <int kDim, int kHeadTiles, int kStages>
__device__ void Scores(const Block<kDim, kHeadTiles, kStages>& b, int tile, float (&scores)[kHeadTiles][4]) {
  constexpr int kSteps = kDim / 32;  // of 16 pairs of dimensions
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int first = static_cast<int>(threadIdx.x) / kWarp * 16;
  const uint32_t keys = b.Keys(tile);
  const uint32_t queries = SharedAddress(b.Query(tile, first / kTurned));
  const bool scattered = b.IsScattered(tile);
  const float* far_turns[2] = {};
  if (scattered) {
    for (int r = 0; r < 2; ++r) {
      const int key = min(tile * kKeys + first + r * 8 + lane / 4, b.count - 1);
      far_turns[r] = b.args.rope.table + static_cast<int64_t>(b.view.Position(key)) * kDim;
    }
  }
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    uint32_t low[4];
    uint32_t high[4];
    LoadMatrix4(low, keys + TileByte(first + lane % 16, step * 2 + lane / 16));
    LoadMatrix4(high, keys + TileByte(first + lane % 16, (step + kSteps) * 2 + lane / 16));
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int row = first % kTurned + r * 8 + lane / 4;
      const Turns turns = scattered ? ReadTurns<kDim>(far_turns[r], step, lane % 4)
                                    : *reinterpret_cast<const Turns*>(b.turns + TurnByte<kDim>(row, step, lane % 4));
      TurnPair(low[r], high[r], turns.c[0], turns.s[0]);
      TurnPair(low[r + 2], high[r + 2], turns.c[1], turns.s[1]);
    }
#pragma unroll
    for (int h = 0; h < kHeadTiles; ++h) {
      uint32_t q[4];
      const int chunk = (lane / 16 == 0 ? step : step + kSteps) * 2 + lane / 8 % 2;
      LoadMatrix4(q, queries + QueryByte<kDim>(h * 8 + lane % 8, chunk * 8));
      Multiply(scores[h], low, q[0], q[1]);
      Multiply(scores[h], high, q[2], q[3]);
    }
  }
}

// A warp's running softmax over its keys, values times heads. A thread holds heads 2 (lane % 4) and the next.
template <int kDim, int kHeadTiles>
struct Running {
  float out[kHeadTiles][kDim / 16][4] = {};
  float highest[kHeadTiles][2];
  float sum[kHeadTiles][2] = {};

  __device__ Running() {
    for (auto& pair : highest) pair[0] = pair[1] = -INFINITY;
  }
};

// Scores become probabilities to the running maximum; what was summed before is brought to it.
template <int kDim, int kHeadTiles>
__device__ void Softmax(float (&scores)[4], int h, Running<kDim, kHeadTiles>& run) {
#pragma unroll
  for (int c = 0; c < 2; ++c) {
    float highest = fmaxf(scores[c], scores[c + 2]);
#pragma unroll
    for (int lane = 4; lane < kWarp; lane *= 2) highest = fmaxf(highest, __shfl_xor_sync(~0U, highest, lane));
    highest = fmaxf(highest, run.highest[h][c]);
    const float correction = Exp2(run.highest[h][c] - highest);
    run.highest[h][c] = highest;
    scores[c] = Exp2(scores[c] - highest);
    scores[c + 2] = Exp2(scores[c + 2] - highest);
    run.sum[h][c] = run.sum[h][c] * correction + scores[c] + scores[c + 2];
#pragma unroll
    for (auto& part : run.out[h]) {
      part[c] *= correction;
      part[c + 2] *= correction;
    }
  }
}

template <int kDim, int kHeadTiles, int kStages>
__device__ void AddTile(const Block<kDim, kHeadTiles, kStages>& b, int tile, float scale,
                        Running<kDim, kHeadTiles>& run) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int first = static_cast<int>(threadIdx.x) / kWarp * 16;
  const int left = b.count - tile * kKeys - first;  // keys from the warp's first on
  if (left <= 0) return;
  float scores[kHeadTiles][4] = {};
  Scores(b, tile, scores);
  uint32_t p[kHeadTiles][2];
#pragma unroll
  for (int h = 0; h < kHeadTiles; ++h) {
#pragma unroll
    for (int c = 0; c < 4; ++c) scores[h][c] = lane / 4 + c / 2 * 8 < left ? scores[h][c] * scale : -INFINITY;
    Softmax(scores[h], h, run);
    p[h][0] = Transpose(PackHalves(scores[h][0], scores[h][1]));
    p[h][1] = Transpose(PackHalves(scores[h][2], scores[h][3]));
  }
  const uint32_t values = b.Keys(tile) + kTileBytes<kDim>;
#pragma unroll
  for (int n = 0; n < kDim / 16; ++n) {
    uint32_t v[4];
    LoadMatrix4Transposed(v, values + TileByte(first + lane % 8 + lane / 16 * 8, n * 2 + lane / 8 % 2));
#pragma unroll
    for (int h = 0; h < kHeadTiles; ++h) Multiply(run.out[h][n], v, p[h][0], p[h][1]);
  }
}

}  // namespace ltri::cuda::single

#endif  // LTRI_OPS_CUDA_ATTEND_TILE_CUH_
