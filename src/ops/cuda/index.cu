#include <algorithm>

#include "ops/cuda/index.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/mma.cuh"
#include "ops/cuda/store.cuh"

namespace ltri::cuda {
namespace {

constexpr int64_t kSubBlock = 64;
constexpr int kMostThreads = 1024;
constexpr int kScanThreads = 128;
constexpr int kScanBlocks = 4;     // on a processor at once
constexpr int kScanVectors = 128;  // that a block of threads compares
constexpr int kScanSpans = kScanVectors / kSpanVectors;
constexpr int kWarpVectors = 32;  // of these, a warp's
constexpr int kScanRows = 192;    // voters in shared memory at once
constexpr int kVoteWarps = 8;

dim3 Grid(int64_t x, int64_t y = 1) { return dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)); }

// A block of threads a KV head, a thread a dimension.
__global__ void MeanKeyKernel(HeadShape shape, const SequenceRef* sequence, int64_t layer, int32_t first, int32_t count,
                              float* mean) {
  const LayerStore store(*sequence, shape, layer);
  const auto kv_head = static_cast<int32_t>(blockIdx.x);
  float sum = 0;
  for (int32_t t = first; t < first + count; ++t) sum += __half2float(store.Key(kv_head, t)[threadIdx.x]);
  mean[kv_head * shape.head_dim + threadIdx.x] = sum / static_cast<float>(count);
}

// A warp a vector; a lane holds 2 or 4 dimensions.
__global__ void IndexKernel(HeadShape shape, const SequenceRef* sequence, int64_t layer, DeviceIndex index,
                            int32_t first, int32_t count) {
  const int32_t vector = static_cast<int32_t>((blockIdx.x * blockDim.x + threadIdx.x) / kWarp);
  if (vector >= count * kSpanVectors) return;
  const auto kv_head = static_cast<int32_t>(blockIdx.y);
  const int32_t span = first + vector / kSpanVectors;
  const int32_t part = vector % kSpanVectors;
  const int32_t length = index.borders[span + 1] - index.borders[span];
  const int32_t token = index.borders[span] + length * (2 * part + 1) / (2 * kSpanVectors);
  const LayerStore store(*sequence, shape, layer);
  const __half* key = store.Key(kv_head, token);
  const float* mean = index.mean + kv_head * shape.head_dim;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  float x[4] = {};
  float largest = 0;
  for (int i = 0; i < shape.head_dim / kWarp; ++i) {
    x[i] = __half2float(key[i * kWarp + lane]) - mean[i * kWarp + lane];
    largest = fmaxf(largest, fabsf(x[i]));
  }
  largest = WarpMax(largest);
  const float by = largest > 0 ? 127.0F / largest : 0.0F;
  const int64_t at = (kv_head * index.capacity + span) * kSpanVectors + part;
  for (int i = 0; i < shape.head_dim / kWarp; ++i) {
    index.vectors[at * shape.head_dim + i * kWarp + lane] = static_cast<int8_t>(__float2int_rn(x[i] * by));
  }
  if (lane == 0) index.scales[at] = largest / 127.0F;
}

struct RowRange {
  int64_t begin;
  int64_t end;
};

__device__ RowRange RangeOf(Voters voters, int64_t rows, int64_t row) {
  if (voters == Voters::kLastRows) {
    const int64_t begin = max(int64_t{0}, rows - kSubBlock) + row;
    return {begin, begin + 1};
  }
  if (row == 0) return {0, rows};
  return {(row - 1) * kSubBlock, min(rows, row * kSubBlock)};
}

// A block of threads a voter and head; threads are dimensions times eighths of the rows.
__global__ void __launch_bounds__(kMostThreads)
    CollectKernel(HeadShape shape, Projections p, Voters voters, int64_t first_voter, int64_t voter_rows,
                  __half* queries, uint32_t* highest) {
  LetNextStart();
  WaitForInputs();
  extern __shared__ float sums[];
  const int64_t row = first_voter + blockIdx.x;
  const auto head = static_cast<int64_t>(blockIdx.y);
  if (blockIdx.x == 0 && head == 0 && threadIdx.x == 0) *highest = 0;
  const int64_t width = static_cast<int64_t>(shape.heads + 2 * shape.kv_heads) * shape.head_dim;
  const RowRange range = RangeOf(voters, p.rows, row);
  const int dim = static_cast<int>(threadIdx.x) % shape.head_dim;
  const int part = static_cast<int>(threadIdx.x) / shape.head_dim;
  const int parts = static_cast<int>(blockDim.x) / shape.head_dim;
  float sum = 0;
#pragma unroll 8
  for (int64_t i = range.begin + part; i < range.end; i += parts) {
    sum += p.data[i * width + head * shape.head_dim + dim];
  }
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (part > 0) return;
  for (int other = 1; other < parts; ++other) sum += sums[other * shape.head_dim + dim];
  queries[(head * voter_rows + row) * shape.head_dim + dim] =
      Numbers<__half>::From(sum / static_cast<float>(range.end - range.begin));
}

// The mean of all rows from those of each 64, so that rows are read once. A block of threads a head, a thread a
// dimension.
__global__ void MeanOfMeansKernel(HeadShape shape, int64_t rows, int64_t voter_rows, __half* queries) {
  LetNextStart();
  WaitForInputs();
  __half* mean = queries + blockIdx.x * voter_rows * shape.head_dim + threadIdx.x;
  float sum = 0;
#pragma unroll 8
  for (int64_t row = 1; row < voter_rows; ++row) {
    const RowRange range = RangeOf(Voters::kMeans, rows, row);
    sum += __half2float(mean[row * shape.head_dim]) * static_cast<float>(range.end - range.begin);
  }
  *mean = Numbers<__half>::From(sum / static_cast<float>(rows));
}

// Byte of a chunk of 8 dimensions of a row, chunks exchanged by row.
template <int kDim>
__device__ int RowByte(int row, int chunk) {
  return row * kDim * 2 + (((chunk & ~7) | ((chunk ^ row) & 7)) << 4);
}

// 128 vectors of a head as halves.
template <int kDim>
__device__ void LoadVectors(const DeviceIndex& index, int32_t kv_head, int64_t first_span, int64_t spans, char* to) {
  constexpr int kChunks = kDim / 8;
  for (int i = static_cast<int>(threadIdx.x); i < kScanVectors * kChunks; i += kScanThreads) {
    const int vector = i / kChunks;
    const int chunk = i % kChunks;
    __half2 halves[4] = {};
    if (first_span + vector / kSpanVectors < spans) {
      const int64_t at = (kv_head * index.capacity + first_span) * kSpanVectors + vector;
      const uint2 bytes = *reinterpret_cast<const uint2*>(index.vectors + at * kDim + chunk * 8);
      const float scale = index.scales[at];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const uint32_t pair = (j < 2 ? bytes.x : bytes.y) >> (j % 2 * 16);
        halves[j] = __floats2half2_rn(static_cast<float>(static_cast<int8_t>(pair & 0xFF)) * scale,
                                      static_cast<float>(static_cast<int8_t>(pair >> 8 & 0xFF)) * scale);
      }
    }
    *reinterpret_cast<uint4*>(to + RowByte<kDim>(vector, chunk)) = *reinterpret_cast<const uint4*>(halves);
  }
}

// A warp's vectors, as the first operand of products: 16 vectors times 16 dimensions each.
template <int kDim>
using WarpVectors = uint32_t[kWarpVectors / 16][kDim / 16][4];

// The best product of each of the warp's 8 spans with the queries 8 * tile .. + 7 in shared memory, in 16 bytes a
// query: the return value belongs to query 2 (lane % 4), or to the next one in the warp's upper half.
template <int kDim>
__device__ __forceinline__ uint4 BestProducts(const WarpVectors<kDim>& vectors, uint32_t queries, int tile,
                                              float scale) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  float dots[kWarpVectors / 16][4] = {};
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
  __half2 pairs[kWarpVectors / 8];  // spans two by two
#pragma unroll
  for (int v = 0; v < kWarpVectors / 16; ++v) {
    __half2 spans[2][2];  // of the lane's vectors and of those 8 further; this half of the warp's, the other's
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      __half2 best = __floats2half2_rn(dots[v][2 * r] * scale, dots[v][2 * r + 1] * scale);
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

// relevance[row][span]: a block of threads compares 32 spans with all rows of the heads that share a KV head. A warp
// keeps its vectors in registers; rows take their place in shared memory.
template <int kDim>
__global__ void __launch_bounds__(kScanThreads, kScanBlocks) ScanKernel(VoteArgs args, int64_t stride) {
  LetNextStart();
  WaitForInputs();
  extern __shared__ __align__(128) char shared[];
  const int64_t spans = *args.index.spans;
  const int64_t first_span = static_cast<int64_t>(blockIdx.x) * kScanSpans;
  if (first_span >= spans) return;
  const auto kv_head = static_cast<int32_t>(blockIdx.y);
  const int64_t count = args.shape.heads / args.shape.kv_heads * args.rows;
  const auto* queries = static_cast<const __half*>(args.queries) + kv_head * count * kDim;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  auto* relevance = static_cast<__half*>(args.relevance) + kv_head * count * stride + first_span +
                    warp * (kWarpVectors / kSpanVectors);
  LoadVectors<kDim>(args.index, kv_head, first_span, spans, shared);
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
    for (int i = static_cast<int>(threadIdx.x); i < tiles * kDim; i += kScanThreads) {  // 8 rows of kDim / 8 chunks
      const int row = i / (kDim / 8);
      const int chunk = i % (kDim / 8);
      CopyAsync16(SharedAddress(shared) + RowByte<kDim>(row, chunk),
                  queries + min(first + row, count - 1) * kDim + chunk * 8);
    }
    CommitCopies();
    WaitForCopies<0>();
    __syncthreads();
    for (int tile = 0; tile < tiles; ++tile) {
      const uint4 best = BestProducts<kDim>(vectors, SharedAddress(shared), tile, args.shape.scale);
      const int64_t row = first + tile * 8 + lane % 4 * 2 + lane / 16;
      if (lane % 16 < 4 && row < count) *reinterpret_cast<uint4*>(relevance + row * stride) = best;
    }
  }
}

// A row's softmax: its maximum, and what a probability counts over the sum.
struct RowWeight {
  float highest;
  float weight;
};

// Eight spans of a row; what is behind the last has no part.
struct Relevance8 {
  float of[8];

  __device__ Relevance8(const uint4* row, int64_t i, int64_t spans) {
    const uint4 bits = row[i];
    const auto* pairs = reinterpret_cast<const __half2*>(&bits);
#pragma unroll
    for (int j = 0; j < 8; j += 2) {
      const float2 pair = __half22float2(pairs[j / 2]);
      of[j] = 8 * i + j < spans ? pair.x : -INFINITY;
      of[j + 1] = 8 * i + j + 1 < spans ? pair.y : -INFINITY;
    }
  }
};

// A block of threads a row.
__global__ void __launch_bounds__(kMostThreads) WeighKernel(VoteArgs args, int64_t stride, RowWeight* weights) {
  LetNextStart();
  WaitForInputs();
  __shared__ float scratch[kWarp];
  constexpr float kFar = -1e4F;  // below the highest: nothing
  const int64_t spans = *args.index.spans;
  const auto* row = reinterpret_cast<const uint4*>(static_cast<const __half*>(args.relevance) + blockIdx.x * stride);
  const int64_t eights = CeilDiv<int64_t>(spans, 8);
  float highest = -INFINITY;
#pragma unroll 4
  for (int64_t i = threadIdx.x; i < eights; i += blockDim.x) {
    for (const float x : Relevance8(row, i, spans).of) highest = fmaxf(highest, x);
  }
  highest = WarpMax(highest);
  if (threadIdx.x % kWarp == 0) scratch[threadIdx.x / kWarp] = highest;
  __syncthreads();
  for (int w = 0; w < static_cast<int>(blockDim.x) / kWarp; ++w) highest = fmaxf(highest, scratch[w]);
  float sum = 0;
  float moment = 0;
#pragma unroll 2
  for (int64_t i = threadIdx.x; i < eights; i += blockDim.x) {
    for (const float x : Relevance8(row, i, spans).of) {
      const float below = fmaxf(x - highest, kFar);
      const float part = __expf(below);
      sum += part;
      moment += part * below;
    }
  }
  sum = BlockSum(sum, scratch);
  moment = BlockSum(moment, scratch);
  if (threadIdx.x > 0) return;
  const float entropy = logf(sum) - moment / sum;
  const float decided = fmaxf(0.0F, 1.0F - entropy / logf(static_cast<float>(max(spans, int64_t{2}))));
  const float head = args.head_weights != nullptr ? args.head_weights[blockIdx.x / args.rows] : 1.0F;
  weights[blockIdx.x] = {highest, head * (args.by_entropy ? decided : 1.0F) / (sum * static_cast<float>(args.rows))};
}

// votes: a lane two spans, warps share the rows.
__global__ void VoteKernel(VoteArgs args, int64_t stride, const RowWeight* weights) {
  LetNextStart();
  WaitForInputs();
  __shared__ float2 parts[kVoteWarps][kWarp];
  const int64_t spans = *args.index.spans;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t span = (blockIdx.x * static_cast<int64_t>(kWarp) + lane) * 2;
  if (blockIdx.x * static_cast<int64_t>(kWarp) * 2 >= spans) return;
  const auto* relevance = static_cast<const __half*>(args.relevance) + min(span, stride - 2);
  const int64_t rows = args.shape.heads * args.rows;
  float2 sum{0, 0};
#pragma unroll 4
  for (int64_t r = warp; r < rows; r += kVoteWarps) {
    const float2 x = __half22float2(*reinterpret_cast<const __half2*>(relevance + r * stride));
    const RowWeight w = weights[r];
    sum.x += __expf(x.x - w.highest) * w.weight;
    sum.y += __expf(x.y - w.highest) * w.weight;
  }
  parts[warp][lane] = sum;
  __syncthreads();
  if (warp > 0) return;
  for (int w = 1; w < kVoteWarps; ++w) {
    sum.x += parts[w][lane].x;
    sum.y += parts[w][lane].y;
  }
  if (span < spans) args.votes[span] = sum.x;
  if (span + 1 < spans) args.votes[span + 1] = sum.y;
  const float mine = fmaxf(span < spans ? sum.x : 0.0F, span + 1 < spans ? sum.y : 0.0F);
  const float highest = WarpMax(mine);
  if (lane == 0) atomicMax(args.highest, __float_as_uint(highest));
}

int64_t Stride(int64_t most_spans) { return CeilDiv<int64_t>(most_spans, kScanSpans) * kScanSpans; }

}  // namespace

void MeanKey(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer, int32_t first,
             int32_t count, const DeviceIndex& index) {
  Launch(stream, "averaging keys", {Grid(shape.kv_heads), shape.head_dim}, MeanKeyKernel, shape, sequence, layer, first,
         count, index.mean);
}

void IndexSpans(Stream stream, const HeadShape& shape, const SequenceRef* sequence, int64_t layer,
                const DeviceIndex& index, int32_t first, int32_t count) {
  constexpr int kThreads = 256;
  Launch(stream, "indexing spans", {Grid(CeilDiv(count * kSpanVectors, kThreads / kWarp), shape.kv_heads), kThreads},
         IndexKernel, shape, sequence, layer, index, first, count);
}

int64_t VoterRows(Voters voters, int64_t rows) {
  if (voters == Voters::kLastRows) return std::min(rows, kSubBlock);
  return voters == Voters::kMean || rows <= kSubBlock ? 1 : 1 + CeilDiv(rows, kSubBlock);
}

void CollectVoters(Stream stream, const HeadShape& shape, const Projections& p, Voters voters, void* queries,
                   uint32_t* highest) {
  const int64_t rows = VoterRows(voters, p.rows);
  const bool of_means = voters == Voters::kMeans && rows > 1;
  const int64_t first = of_means ? 1 : 0;
  const int threads = p.rows == 1 ? shape.head_dim : 8 * shape.head_dim;
  auto* to = static_cast<__half*>(queries);
  Launch(stream, "collecting voters", {Grid(rows - first, shape.heads), threads, threads * 4, true}, CollectKernel,
         shape, p, voters, first, rows, to, highest);
  if (!of_means) return;
  Launch(stream, "collecting voters", {Grid(shape.heads), shape.head_dim, 0, true}, MeanOfMeansKernel, shape, p.rows,
         rows, to);
}

int64_t VoteScratchBytes(const HeadShape& shape, int64_t rows, int64_t most_spans) {
  const int64_t all = shape.heads * rows;
  return all * (Stride(most_spans) * 2 + static_cast<int64_t>(sizeof(RowWeight)));
}

void CastVotes(Stream stream, const VoteArgs& args) {
  const int64_t stride = Stride(args.most_spans);
  const int64_t rows = args.shape.heads * args.rows;
  auto* weights = reinterpret_cast<RowWeight*>(static_cast<__half*>(args.relevance) + rows * stride);
  const int dim = args.shape.head_dim;
  const LaunchShape scan{Grid(stride / kScanSpans, args.shape.kv_heads), kScanThreads,
                         std::max(kScanVectors, kScanRows) * dim * 2, true};
  Launch(stream, "searching the index", scan, dim == 128 ? ScanKernel<128> : ScanKernel<64>, args, stride);
  const int weighing = rows < Processors() ? kMostThreads : 256;  // threads: one row after another, or many at once
  Launch(stream, "weighing votes", {Grid(rows), weighing, 0, true}, WeighKernel, args, stride, weights);
  Launch(stream, "counting votes", {Grid(CeilDiv<int64_t>(stride, 2 * kWarp)), kVoteWarps * kWarp, 0, true}, VoteKernel,
         args, stride, weights);
}

}  // namespace ltri::cuda
