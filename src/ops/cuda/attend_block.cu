// A block of queries with the matrix instructions of a warp: 4 warps of 16 queries over tiles of 64 keys.
#include <cmath>

#include "ops/cuda/attend.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/mma.cuh"
#include "ops/cuda/store.cuh"

namespace ltri::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
constexpr int kKeys = kTileRows;

template <int kDim>
constexpr int kTileBytes = kTileRows* kDim * 2;

// Starts the copy of a tile as it lies.
template <int kDim>
__device__ void CopyTile(uint32_t to, const char* from) {
#pragma unroll
  for (int i = 0; i < kTileBytes<kDim> / 16 / kThreads; ++i) {
    const int at = (i * kThreads + static_cast<int>(threadIdx.x)) * 16;
    CopyAsync16(to + at, from + at);
  }
}

// A warp's 16 queries while it walks over the keys. Row 0 of a pair is lane / 4, row 1 that + 8.
template <int kDim>
struct Rows {
  float out[kDim / 8][4] = {};
  float highest[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0, 0};
};

// A warp's 16 queries: in registers or, where results leave no room for them, in shared memory.
template <int kDim>
struct Queries {
  static constexpr bool kKept = kDim <= 128;
  uint32_t tile;
  int first;  // row of the tile
  uint32_t kept[kKept ? kDim / 16 : 1][4];

  __device__ Queries(uint32_t at, int row) : tile(at), first(row) {
    if constexpr (kKept) {
#pragma unroll
      for (int step = 0; step < kDim / 16; ++step) Load(step, kept[step]);
    }
  }
  __device__ void Load(int step, uint32_t (&q)[4]) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    LoadMatrix4(q, tile + TileByte(first + lane % 16, step * 2 + lane / 16));
  }
  __device__ void Read(int step, uint32_t (&q)[4]) const {
    if constexpr (kKept) {
#pragma unroll
      for (int i = 0; i < 4; ++i) q[i] = kept[step][i];
    } else {
      Load(step, q);
    }
  }
};

// scores = q k^T for a tile of keys.
template <int kDim>
__device__ void Scores(const Queries<kDim>& queries, uint32_t keys, float (&scores)[kKeys / 8][4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int step = 0; step < kDim / 16; ++step) {
    uint32_t q[4];
    queries.Read(step, q);
#pragma unroll
    for (int n = 0; n < kKeys / 16; ++n) {
      uint32_t b[4];
      LoadMatrix4(b, keys + TileByte(n * 16 + lane % 8 + lane / 16 * 8, step * 2 + lane / 8 % 2));
      Multiply(scores[2 * n], q, b[0], b[1]);
      Multiply(scores[2 * n + 1], q, b[2], b[3]);
    }
  }
}

// Takes a tile's scores into the running softmax; scores become probabilities to the running maximum.
template <int kDim>
__device__ void Softmax(float (&scores)[kKeys / 8][4], float scale, Rows<kDim>& rows) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float highest = rows.highest[r];
#pragma unroll
    for (auto& part : scores) highest = fmaxf(highest, fmaxf(part[2 * r], part[2 * r + 1]));
    highest = fmaxf(highest, __shfl_xor_sync(~0U, highest, 1));
    highest = fmaxf(highest, __shfl_xor_sync(~0U, highest, 2));
    const float correction = Exp2((rows.highest[r] - highest) * scale);
    rows.highest[r] = highest;
    float sum = 0;
#pragma unroll
    for (auto& part : scores) {
      part[2 * r] = Exp2(part[2 * r] * scale - highest * scale);
      part[2 * r + 1] = Exp2(part[2 * r + 1] * scale - highest * scale);
      sum += part[2 * r] + part[2 * r + 1];
    }
    rows.sum[r] = rows.sum[r] * correction + sum;
#pragma unroll
    for (auto& part : rows.out) {
      part[2 * r] *= correction;
      part[2 * r + 1] *= correction;
    }
  }
}

// out += probabilities * values.
template <int kDim>
__device__ void AddValues(const float (&p)[kKeys / 8][4], uint32_t values, Rows<kDim>& rows) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int k = 0; k < kKeys / 16; ++k) {
    const uint32_t a[4] = {PackHalves(p[2 * k][0], p[2 * k][1]), PackHalves(p[2 * k][2], p[2 * k][3]),
                           PackHalves(p[2 * k + 1][0], p[2 * k + 1][1]), PackHalves(p[2 * k + 1][2], p[2 * k + 1][3])};
#pragma unroll
    for (int n = 0; n < kDim / 16; ++n) {
      uint32_t b[4];
      LoadMatrix4Transposed(b, values + TileByte(k * 16 + lane % 16, n * 2 + lane / 16));
      Multiply(rows.out[2 * n], a, b[0], b[1]);
      Multiply(rows.out[2 * n + 1], a, b[2], b[3]);
    }
  }
}

template <int kDim, typename T>
__global__ void __launch_bounds__(kThreads) BlockKernel(AttendBlockArgs args, int64_t q_bytes, int64_t key_bytes) {
  extern __shared__ __align__(1024) char shared[];
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const HeadShape& shape = args.shape;
  // The last queries see most: they start first.
  const int tile = static_cast<int>(gridDim.x - 1 - blockIdx.x);
  const auto head = static_cast<int>(blockIdx.y);
  const int kv_head = head / (shape.heads / shape.kv_heads);
  const ViewKeys view(*args.sequence, args.layer);
  const auto queries = static_cast<int>(args.queries);
  const int window = view.view.window;
  // Tiles that lie before the windows of all queries are left out, and keys counted from there.
  const int skipped = FirstTile(view, view.count() - queries + tile * kTileRows, kKeys);
  const int before = view.count() - queries - skipped * kKeys;  // keys before the first query's own
  const int end = min(view.count() - skipped * kKeys, before + (tile + 1) * kTileRows);
  const int tiles = CeilDiv(end, kKeys);

  const auto* q = static_cast<const char*>(args.q) + head * q_bytes + tile * kTileBytes<kDim>;
  const int64_t from = kv_head * key_bytes + static_cast<int64_t>(skipped) * kTileBytes<kDim>;
  const auto* keys = static_cast<const char*>(args.keys) + from;
  const auto* values = static_cast<const char*>(args.values) + from;
  const uint32_t base = SharedAddress(shared);
  const auto stage = [&](int i) { return base + kTileBytes<kDim> * (1 + i % 2 * 2); };  // keys, then values
  const auto fetch = [&](int i) {
    if (i < tiles) {
      CopyTile<kDim>(stage(i), keys + static_cast<int64_t>(i) * kTileBytes<kDim>);
      CopyTile<kDim>(stage(i) + kTileBytes<kDim>, values + static_cast<int64_t>(i) * kTileBytes<kDim>);
    }
    CommitCopies();
  };
  CopyTile<kDim>(base, q);
  fetch(0);
  fetch(1);
  WaitForCopies<1>();
  __syncthreads();
  const Queries<kDim> own(base, warp * 16);
  const float scale = shape.scale * 1.44269504F;
  const int first_row = tile * kTileRows + warp * 16 + lane / 4;
  Rows<kDim> rows;
  for (int i = 0; i < tiles; ++i) {
    WaitForCopies<1>();
    __syncthreads();
    float scores[kKeys / 8][4] = {};
    Scores<kDim>(own, stage(i), scores);
    if ((i + 1) * kKeys > before + tile * kTileRows) {
#pragma unroll
      for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          const int key = i * kKeys + n * 8 + lane % 4 * 2 + c % 2;
          if (key > before + first_row + c / 2 * 8) scores[n][c] = -INFINITY;
        }
      }
    }
    if (window > 0 && i * kKeys <= before + tile * kTileRows + kTileRows - 1 - window) {
#pragma unroll
      for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          const int key = i * kKeys + n * 8 + lane % 4 * 2 + c % 2;
          if (key <= before + first_row + c / 2 * 8 - window) scores[n][c] = kOutside;
        }
      }
    }
    Softmax<kDim>(scores, scale, rows);
    AddValues<kDim>(scores, stage(i) + kTileBytes<kDim>, rows);
    __syncthreads();
    fetch(i + 2);
  }
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float sum = rows.sum[r];
    sum += __shfl_xor_sync(~0U, sum, 1);
    sum += __shfl_xor_sync(~0U, sum, 2);
    const int row = first_row + r * 8;
    if (row >= queries) continue;
    if (args.lse != nullptr && lane % 4 == 0) {
      args.lse[static_cast<int64_t>(head) * queries + row] = rows.highest[r] * shape.scale + logf(sum);
    }
    T* out = static_cast<T*>(args.out) + (static_cast<int64_t>(row) * shape.heads + head) * kDim;
#pragma unroll
    for (int n = 0; n < kDim / 8; ++n) {
      out[n * 8 + lane % 4 * 2] = Numbers<T>::From(rows.out[n][2 * r] / sum);
      out[n * 8 + lane % 4 * 2 + 1] = Numbers<T>::From(rows.out[n][2 * r + 1] / sum);
    }
  }
}

template <int kDim>
void Start(Stream stream, const AttendBlockArgs& args) {
  // Tiles come in pairs: ops/cuda/heads.h.
  const auto bytes = [](int64_t rows) { return CeilDiv<int64_t>(rows, 2 * kTileRows) * 2 * kTileBytes<kDim>; };
  LaunchShape shape;
  shape.grid =
      dim3(static_cast<unsigned>(CeilDiv<int64_t>(args.queries, kTileRows)), static_cast<unsigned>(args.shape.heads));
  shape.threads = kThreads;
  shape.shared_bytes = 5 * kTileBytes<kDim>;
  Launch(stream, "attending", shape,
         args.type == Float16::kHalf ? BlockKernel<kDim, __half> : BlockKernel<kDim, __nv_bfloat16>, args,
         bytes(args.queries), bytes(args.most_keys));
}

}  // namespace

void AttendBlockByWarps(Stream stream, const AttendBlockArgs& args) {
  switch (args.shape.head_dim) {
    case 256:
      return Start<256>(stream, args);
    case 128:
      return Start<128>(stream, args);
    default:
      return Start<64>(stream, args);
  }
}

void AttendBlock(Stream stream, const AttendBlockArgs& args) {
  const bool by_groups = HasWarpGroups() && args.shape.head_dim <= kMostGroupDim;
  return by_groups ? AttendBlockByWarpGroups(stream, args) : AttendBlockByWarps(stream, args);
}

}  // namespace ltri::cuda
