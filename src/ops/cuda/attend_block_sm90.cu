// A block of queries by warp groups (Hopper): one group copies tiles, two compute 64 queries each over 128 keys at a
// time. While the matrix units add the values of one tile, the softmax of the next is taken.
#include <cmath>

#include "ops/cuda/attend.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/mma.cuh"
#include "ops/cuda/store.cuh"
#include "ops/cuda/wgmma.cuh"

namespace ltri::cuda {
namespace {

constexpr int kGroup = 128;  // threads of a warp group
constexpr int kComputing = 2;
constexpr int kThreads = (1 + kComputing) * kGroup;
constexpr int kQueries = kComputing * 64;
constexpr int kKeys = 128;
constexpr int kStages = 2;
constexpr int kSlab = kKeys * 128;  // bytes of 64 dimensions of 128 rows
constexpr int kFirstTurn = 1;       // named barriers that let the computing groups take turns

template <int kDim>
constexpr int kStageBytes = kDim / 64 * kSlab;  // of keys, or of values, or of the queries

// Barriers in shared memory: bytes have come, or all warps have read them.
struct Barriers {
  uint32_t at;

  __device__ uint32_t queries() const { return at; }
  __device__ uint32_t KeysHere(int stage) const { return at + 8 + stage * 32; }
  __device__ uint32_t KeysRead(int stage) const { return at + 16 + stage * 32; }
  __device__ uint32_t ValuesHere(int stage) const { return at + 24 + stage * 32; }
  __device__ uint32_t ValuesRead(int stage) const { return at + 32 + stage * 32; }

  __device__ void Init() const {
    InitBarrier(queries(), 1);
    for (int stage = 0; stage < kStages; ++stage) {
      InitBarrier(KeysHere(stage), 1);
      InitBarrier(ValuesHere(stage), 1);
      InitBarrier(KeysRead(stage), kComputing * 4);
      InitBarrier(ValuesRead(stage), kComputing * 4);
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
};

// 128 rows, which are two tiles in memory, become one tile of 128 rows.
template <int kDim>
__device__ void CopyRows(uint32_t to, const char* from, uint32_t barrier) {
  ExpectBytes(barrier, kStageBytes<kDim>);
#pragma unroll
  for (int tile = 0; tile < 2; ++tile) {
#pragma unroll
    for (int slab = 0; slab < kDim / 64; ++slab) {
      BulkCopy(to + slab * kSlab + tile * kSlabBytes, from + (tile * (kDim / 64) + slab) * kSlabBytes, kSlabBytes,
               barrier);
    }
  }
}

// What a block of threads works on.
template <int kDim>
struct Work {
  int head;
  int kv_head;
  int first;   // query
  int before;  // keys before the first query of all, from the first tile on
  int window;  // 0: all keys
  int tiles;
  int skipped;  // tiles before the first
  uint32_t q;
  uint32_t stages;
  Barriers barriers;

  __device__ uint32_t Keys(int tile) const { return stages + tile % kStages * 2 * kStageBytes<kDim>; }
  __device__ uint32_t Values(int tile) const { return Keys(tile) + kStageBytes<kDim>; }
};

template <int kDim>
__device__ void Fetch(const AttendBlockArgs& args, const Work<kDim>& w, int64_t q_bytes, int64_t key_bytes) {
  const auto* q = static_cast<const char*>(args.q) + w.head * q_bytes + static_cast<int64_t>(w.first) * kDim * 2;
  const int64_t from = w.kv_head * key_bytes + static_cast<int64_t>(w.skipped) * kStageBytes<kDim>;
  const auto* keys = static_cast<const char*>(args.keys) + from;
  const auto* values = static_cast<const char*>(args.values) + from;
  CopyRows<kDim>(w.q, q, w.barriers.queries());
  for (int i = 0; i < w.tiles; ++i) {
    const int stage = i % kStages;
    const uint32_t phase = (i / kStages + 1) & 1;  // the first round finds all stages free
    WaitPhase(w.barriers.KeysRead(stage), phase);
    CopyRows<kDim>(w.Keys(i), keys + static_cast<int64_t>(i) * kStageBytes<kDim>, w.barriers.KeysHere(stage));
    WaitPhase(w.barriers.ValuesRead(stage), phase);
    CopyRows<kDim>(w.Values(i), values + static_cast<int64_t>(i) * kStageBytes<kDim>, w.barriers.ValuesHere(stage));
  }
}

// scores = q k^T, under way.
template <int kDim>
__device__ void StartScores(uint32_t q, uint32_t keys, float (&scores)[kKeys / 2]) {
#pragma unroll
  for (int step = 0; step < kDim / 16; ++step) {
    const uint32_t at = step / 4 * kSlab + step % 4 * 32;
    MultiplyGroup(scores, Operand(q + at, 16), Operand(keys + at, 16), step > 0);
  }
  EndGroup();
}

// out += p v, under way.
template <int kDim>
__device__ void StartValues(const uint32_t (&p)[kKeys / 16][4], uint32_t values, float (&out)[kDim / 2]) {
#pragma unroll
  for (int step = 0; step < kKeys / 16; ++step) {
    MultiplyGroup(out, p[step], Operand(values + step * 2048, kSlab), 1);
  }
  EndGroup();
}

// The running softmax of the thread's two rows.
struct Running {
  float highest[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0, 0};
  float correction[2] = {1, 1};
};

__device__ void Softmax(float (&scores)[kKeys / 2], float scale, Running& run) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float highest = run.highest[r];
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n) {
      highest = fmaxf(highest, fmaxf(scores[4 * n + 2 * r], scores[4 * n + 2 * r + 1]));
    }
    highest = fmaxf(highest, __shfl_xor_sync(~0U, highest, 1));
    highest = fmaxf(highest, __shfl_xor_sync(~0U, highest, 2));
    run.correction[r] = Exp2((run.highest[r] - highest) * scale);
    run.highest[r] = highest;
    const float offset = highest * scale;
    float sum = 0;
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n) {
      float& a = scores[4 * n + 2 * r];
      float& b = scores[4 * n + 2 * r + 1];
      a = Exp2(fmaf(a, scale, -offset));
      b = Exp2(fmaf(b, scale, -offset));
      sum += a + b;
    }
    run.sum[r] = run.sum[r] * run.correction[r] + sum;
  }
}

// Keys before a row's window count nothing. limit: the last that the thread's first row does not see, from the tile's
// first.
__device__ void MaskOutside(float (&scores)[kKeys / 2], int limit) {
  const int column = static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
  for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      if (n * 8 + column + c % 2 <= limit + c / 2 * 8) scores[4 * n + c] = kOutside;
    }
  }
}

// Keys behind a row's own are not seen. limit: the last key that the thread's first row sees, from the tile's first.
__device__ void Mask(float (&scores)[kKeys / 2], int limit) {
  const int column = static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
  for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      if (n * 8 + column + c % 2 > limit + c / 2 * 8) scores[4 * n + c] = -INFINITY;
    }
  }
}

__device__ void Pack(const float (&scores)[kKeys / 2], uint32_t (&p)[kKeys / 16][4]) {
#pragma unroll
  for (int step = 0; step < kKeys / 16; ++step) {
#pragma unroll
    for (int i = 0; i < 4; ++i) p[step][i] = PackHalves(scores[8 * step + 2 * i], scores[8 * step + 2 * i + 1]);
  }
}

__device__ void WaitTurn(int group) { asm volatile("bar.sync %0, 256;" ::"r"(kFirstTurn + group) : "memory"); }
__device__ void GiveTurn(int group) { asm volatile("bar.arrive %0, 256;" ::"r"(kFirstTurn + 1 - group) : "memory"); }

// Lane 0 of each warp says that the warp has read a stage.
__device__ void SayRead(uint32_t barrier) {
  if (threadIdx.x % kWarp == 0) Arrive(barrier);
}

template <int kDim, typename T>
__device__ void Compute(const AttendBlockArgs& args, const Work<kDim>& w, int group) {
  const int thread = static_cast<int>(threadIdx.x) % kGroup;
  const uint32_t q = w.q + group * kSlabBytes;
  const int row = w.first + group * 64 + thread / kWarp * 16 + thread % kWarp / 4;
  const int unmasked = w.before + w.first + group * 64;  // keys up to here are seen by all rows of the group
  const int outside = w.window > 0 ? unmasked + 63 - w.window : -1;  // keys up to here not, for their windows' sake
  const float scale = args.shape.scale * 1.44269504F;
  float out[kDim / 2];
#pragma unroll
  for (float& x : out) x = 0;
  float scores[kKeys / 2];
  uint32_t p[kKeys / 16][4];
  Running run;
  if (group == 1) GiveTurn(group);

  WaitPhase(w.barriers.queries(), 0);
  WaitPhase(w.barriers.KeysHere(0), 0);
  WaitTurn(group);
  StartGroup();
  StartScores<kDim>(q, w.Keys(0), scores);
  GiveTurn(group);
  WaitForGroups<0>();
  SayRead(w.barriers.KeysRead(0));
  if (kKeys - 1 > unmasked) Mask(scores, w.before + row);
  if (outside >= 0) MaskOutside(scores, w.before + row - w.window);
  Softmax(scores, scale, run);
  Pack(scores, p);
  for (int i = 1; i < w.tiles; ++i) {
    const int stage = i % kStages;
    const int last = (i - 1) % kStages;
    WaitPhase(w.barriers.KeysHere(stage), i / kStages & 1);
    WaitTurn(group);
    StartGroup();
    StartScores<kDim>(q, w.Keys(i), scores);
    WaitPhase(w.barriers.ValuesHere(last), (i - 1) / kStages & 1);
    StartValues<kDim>(p, w.Values(i - 1), out);
    GiveTurn(group);
    WaitForGroups<1>();
    SayRead(w.barriers.KeysRead(stage));
    if ((i + 1) * kKeys - 1 > unmasked) Mask(scores, w.before + row - i * kKeys);
    if (outside >= i * kKeys) MaskOutside(scores, w.before + row - w.window - i * kKeys);
    Softmax(scores, scale, run);
    WaitForGroups<0>();
    SayRead(w.barriers.ValuesRead(last));
#pragma unroll
    for (int n = 0; n < kDim / 2; ++n) out[n] *= run.correction[n / 2 % 2];
    Pack(scores, p);
  }
  const int last = (w.tiles - 1) % kStages;
  WaitPhase(w.barriers.ValuesHere(last), (w.tiles - 1) / kStages & 1);
  StartGroup();
  StartValues<kDim>(p, w.Values(w.tiles - 1), out);
  WaitForGroups<0>();
  if (group == 0) WaitTurn(group);

#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float sum = run.sum[r];
    sum += __shfl_xor_sync(~0U, sum, 1);
    sum += __shfl_xor_sync(~0U, sum, 2);
    const int64_t at = row + r * 8;
    if (at >= args.queries) continue;
    if (args.lse != nullptr && thread % 4 == 0) {
      args.lse[w.head * args.queries + at] = run.highest[r] * args.shape.scale + logf(sum);
    }
    T* to = static_cast<T*>(args.out) + (at * args.shape.heads + w.head) * kDim + thread % 4 * 2;
    const float inverse = 1.0F / sum;
#pragma unroll
    for (int n = 0; n < kDim / 8; ++n) {
      T pair[2] = {Numbers<T>::From(out[4 * n + 2 * r] * inverse), Numbers<T>::From(out[4 * n + 2 * r + 1] * inverse)};
      *reinterpret_cast<uint32_t*>(to + n * 8) = *reinterpret_cast<const uint32_t*>(pair);
    }
  }
}

// Blocks of one KV head follow each other, so that its tiles stay in the second-level cache; the last queries, which
// see most, come first.
template <int kDim, typename T>
__global__ void __launch_bounds__(kThreads, 1) GroupKernel(AttendBlockArgs args, int64_t q_bytes, int64_t key_bytes) {
  extern __shared__ __align__(1024) char shared[];
  const ViewKeys view(*args.sequence, args.layer);
  const auto queries = static_cast<int>(args.queries);
  const int per_kv = args.shape.heads / args.shape.kv_heads;
  const int tiles = CeilDiv(queries, kQueries);
  const auto block = static_cast<int>(blockIdx.x);
  Work<kDim> w;
  w.kv_head = block / (per_kv * tiles);
  w.head = w.kv_head * per_kv + block % per_kv;
  w.first = (tiles - 1 - block / per_kv % tiles) * kQueries;
  w.window = view.view.window;
  w.skipped = FirstTile(view, view.count() - queries + w.first, kKeys);
  w.before = view.count() - queries - w.skipped * kKeys;
  w.tiles = CeilDiv(min(view.count() - w.skipped * kKeys, w.before + w.first + kQueries), kKeys);
  w.q = SharedAddress(shared);
  w.stages = w.q + kStageBytes<kDim>;
  w.barriers.at = w.stages + kStages * 2 * kStageBytes<kDim>;
  if (threadIdx.x == 0) w.barriers.Init();
  __syncthreads();
  if (threadIdx.x < kGroup) {
    GiveRegisters<24>();
    if (threadIdx.x == 0) Fetch<kDim>(args, w, q_bytes, key_bytes);
  } else {
    TakeRegisters<240>();
    Compute<kDim, T>(args, w, static_cast<int>(threadIdx.x) / kGroup - 1);
  }
}

template <int kDim>
void Start(Stream stream, const AttendBlockArgs& args) {
  const auto bytes = [](int64_t rows) { return CeilDiv<int64_t>(rows, kKeys) * kKeys * kDim * 2; };
  LaunchShape shape;
  shape.grid.x = static_cast<unsigned>(CeilDiv<int64_t>(args.queries, kQueries) * args.shape.heads);
  shape.threads = kThreads;
  shape.shared_bytes = (1 + 2 * kStages) * kStageBytes<kDim> + 256;
  Launch(stream, "attending", shape,
         args.type == Float16::kHalf ? GroupKernel<kDim, __half> : GroupKernel<kDim, __nv_bfloat16>, args,
         bytes(args.queries), bytes(args.most_keys));
}

}  // namespace

void AttendBlockByWarpGroups(Stream stream, const AttendBlockArgs& args) {
  return args.shape.head_dim == 128 ? Start<128>(stream, args) : Start<64>(stream, args);
}

bool HasWarpGroups() {
  static const bool has = [] {
    int major = 0;
    Check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0), "asking what the card can do");
    return major == 9;
  }();
  return has;
}

}  // namespace ltri::cuda
