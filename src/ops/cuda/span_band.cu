#include "ops/cuda/launch.cuh"
#include "ops/cuda/mma.cuh"
#include "ops/cuda/span_band.h"
#include "ops/cuda/store.cuh"

namespace ltri::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
constexpr int kWidth = static_cast<int>(kBandWidth);
constexpr int kPairs = (kWidth + 16) / 16 + 1;                // of 8 keys that a warp's 16 queries need
constexpr int kTiles = (kWidth + 2 * kTileRows) / kTileRows;  // of keys that a tile of queries needs

template <int kDim>
constexpr int kTileBytes = kTileRows* kDim * 2;

template <int kDim>
__device__ void CopyTile(uint32_t to, const char* from) {
  for (int at = static_cast<int>(threadIdx.x) * 16; at < kTileBytes<kDim>; at += kThreads * 16) {
    CopyAsync16(to + at, from + at);
  }
}

// A block of threads takes 64 queries of the heads that share a KV head; a warp 16 of them.
template <int kDim>
__global__ void __launch_bounds__(kThreads)
    BandKernel(AttendBlockArgs args, int64_t q_bytes, int64_t key_bytes, float* parts) {
  extern __shared__ __align__(128) char shared[];
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const auto kv_head = static_cast<int>(blockIdx.y);
  const int per_kv = args.shape.heads / args.shape.kv_heads;
  const ViewKeys view(*args.sequence, args.layer);
  const auto queries = static_cast<int>(args.queries);
  const int first = static_cast<int>(blockIdx.x) * kTileRows;
  const int own = view.count() - queries + first;  // the key of the tile's first query
  const int first_tile = max(0, own - kWidth) / kTileRows;
  const int last_tile = (view.count() - 1) / kTileRows;
  const uint32_t q = SharedAddress(shared);
  const uint32_t keys = q + kTileBytes<kDim>;
  const auto* from = static_cast<const char*>(args.keys) + kv_head * key_bytes;
  for (int i = 0; i < kTiles && first_tile + i <= last_tile; ++i) {
    CopyTile<kDim>(keys + i * kTileBytes<kDim>, from + static_cast<int64_t>(first_tile + i) * kTileBytes<kDim>);
  }
  const int row = first + warp * 16 + lane / 4;                 // query, and that + 8
  const int base = max(0, own + warp * 16 - kWidth) / 16 * 16;  // key that the warp begins with
  const float scale = args.shape.scale * 1.44269504F;
  float sums[2 * kPairs][4] = {};
  for (int h = 0; h < per_kv; ++h) {
    const int head = kv_head * per_kv + h;
    __syncthreads();
    CopyTile<kDim>(q, static_cast<const char*>(args.q) + head * q_bytes + static_cast<int64_t>(first) * kDim * 2);
    CommitCopies();
    WaitForCopies<0>();
    __syncthreads();
    uint32_t a[kDim / 16][4];
#pragma unroll
    for (int step = 0; step < kDim / 16; ++step) {
      LoadMatrix4(a[step], q + TileByte(warp * 16 + lane % 16, step * 2 + lane / 16));
    }
    float lse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      lse[r] = args.lse[static_cast<int64_t>(head) * queries + min(row + 8 * r, queries - 1)] * 1.44269504F;
    }
#pragma unroll
    for (int pair = 0; pair < kPairs; ++pair) {
      const int at = min(base + pair * 16, (last_tile + 1) * kTileRows - 16) - first_tile * kTileRows;
      float scores[2][4] = {};
#pragma unroll
      for (int step = 0; step < kDim / 16; ++step) {
        uint32_t b[4];
        LoadMatrix4(b, keys + at / kTileRows * kTileBytes<kDim> +
                           TileByte(at % kTileRows + lane % 8 + lane / 16 * 8, step * 2 + lane / 8 % 2));
        Multiply(scores[0], a[step], b[0], b[1]);
        Multiply(scores[1], a[step], b[2], b[3]);
      }
#pragma unroll
      for (int n = 0; n < 2; ++n) {
#pragma unroll
        for (int c = 0; c < 4; ++c) sums[2 * pair + n][c] += Exp2(fminf(scores[n][c] * scale - lse[c / 2], 0.0F));
      }
    }
  }
  float* part = parts + static_cast<int64_t>(kv_head) * queries * kWidth;
#pragma unroll
  for (int n = 0; n < 2 * kPairs; ++n) {
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      const int query = row + c / 2 * 8;
      const int key = base + n * 8 + lane % 4 * 2 + c % 2;
      const int lag = own - first + query - key;
      if (query < queries && lag >= 1 && lag <= kWidth) {
        part[static_cast<int64_t>(query) * kWidth + lag - 1] = key >= view.view.far ? sums[n][c] : 0.0F;
      }
    }
  }
}

// The sum over KV heads; what no key stands for is 0.
__global__ void SumKernel(const SequenceRef* sequence, int64_t layer, int64_t queries, int32_t kv_heads,
                          const float* parts, float* band) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i >= queries * kBandWidth) return;
  const ViewKeys view(*sequence, layer);
  const int64_t own = view.count() - queries + i / kBandWidth;
  float sum = 0;
  if (own - (i % kBandWidth + 1) >= view.view.far) {
    for (int32_t h = 0; h < kv_heads; ++h) sum += parts[h * queries * kBandWidth + i];
  }
  band[i] = sum;
}

template <int kDim>
void Start(Stream stream, const AttendBlockArgs& args, float* scratch) {
  const auto bytes = [](int64_t rows) { return CeilDiv<int64_t>(rows, 2 * kTileRows) * 2 * kTileBytes<kDim>; };
  LaunchShape shape;
  shape.grid = dim3(static_cast<unsigned>(CeilDiv<int64_t>(args.queries, kTileRows)),
                    static_cast<unsigned>(args.shape.kv_heads));
  shape.threads = kThreads;
  shape.shared_bytes = (1 + kTiles) * kTileBytes<kDim>;
  Launch(stream, "looking at the diagonal", shape, BandKernel<kDim>, args, bytes(args.queries), bytes(args.most_keys),
         scratch);
}

}  // namespace

void SpanBand(Stream stream, const AttendBlockArgs& args, float* scratch, float* band) {
  switch (args.shape.head_dim) {
    case 256:
      Start<256>(stream, args, scratch);
      break;
    case 128:
      Start<128>(stream, args, scratch);
      break;
    default:
      Start<64>(stream, args, scratch);
  }
  constexpr int kSumThreads = 256;
  Launch(stream, "looking at the diagonal",
         {dim3(static_cast<unsigned>(CeilDiv<int64_t>(args.queries * kBandWidth, kSumThreads))), kSumThreads},
         SumKernel, args.sequence, args.layer, args.queries, args.shape.kv_heads, scratch, band);
}

}  // namespace ltri::cuda
