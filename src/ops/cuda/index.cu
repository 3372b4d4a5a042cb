#include <algorithm>

#include "ops/cuda/index.h"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/mma.cuh"
#include "ops/cuda/together.cuh"

namespace ltri::cuda {
namespace {

constexpr int64_t kSubBlock = 64;
constexpr int kMostThreads = 1024;
constexpr int kScanThreads = 128;
template <int kDim>
constexpr int kScanBlocks = kDim <= 128 ? 4 : 2;  // on a processor at once: of wide vectors, registers hold fewer
constexpr int kScanVectors = 128;  // that a block of threads compares
constexpr int kScanSpans = kScanVectors / kSpanVectors;
constexpr int kWarpVectors = 32;  // of these, a warp's
constexpr int kScanRows = 192;    // voters in shared memory at once
constexpr int kVoteWarps = 8;

dim3 Grid(int64_t x, int64_t y = 1, int64_t z = 1) {
  return dim3(static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z));
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

// A decoded token's queries vote as they are.
__host__ __device__ bool IsDirect(const VoteArgs& args) { return args.p.rows == 1; }

// A block of threads a row and voter; threads are dimensions times parts of the rows.
template <int kMost>
__global__ void __launch_bounds__(kMostThreads)
    CollectKernel(const __grid_constant__ Together<VoteArgs, kMost> all, int64_t first_row) {
  LetNextStart();
  WaitForInputs();
  extern __shared__ float sums[];
  const VoteArgs& args = all.of[blockIdx.z];
  const HeadShape& shape = args.shape;
  const int64_t row = first_row + blockIdx.x;
  const auto voter = static_cast<int64_t>(blockIdx.y);
  if (row >= args.rows || voter >= args.index.heads.voters) return;
  const int64_t head = args.index.heads.heads[voter];
  const int64_t width = static_cast<int64_t>(shape.heads + 2 * shape.kv_heads) * shape.head_dim;
  const RowRange range = RangeOf(args.voters, args.p.rows, row);
  const int dim = static_cast<int>(threadIdx.x) % shape.head_dim;
  const int part = static_cast<int>(threadIdx.x) / shape.head_dim;
  const int parts = static_cast<int>(blockDim.x) / shape.head_dim;
  float sum = 0;
#pragma unroll 8
  for (int64_t i = range.begin + part; i < range.end; i += parts) {
    sum += args.p.data[i * width + head * shape.head_dim + dim];
  }
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (part > 0) return;
  for (int other = 1; other < parts; ++other) sum += sums[other * shape.head_dim + dim];
  static_cast<__half*>(args.queries)[(voter * args.rows + row) * shape.head_dim + dim] =
      Numbers<__half>::From(sum / static_cast<float>(range.end - range.begin));
}

// The mean of all rows from those of each 64, so that rows are read once. A block of threads a voter, a thread a
// dimension.
template <int kMost>
__global__ void MeanOfMeansKernel(const __grid_constant__ Together<VoteArgs, kMost> all) {
  LetNextStart();
  WaitForInputs();
  const VoteArgs& args = all.of[blockIdx.z];
  if (static_cast<int32_t>(blockIdx.x) >= args.index.heads.voters) return;
  const int64_t dim = args.shape.head_dim;
  __half* mean = static_cast<__half*>(args.queries) + blockIdx.x * args.rows * dim + threadIdx.x;
  float sum = 0;
#pragma unroll 8
  for (int64_t row = 1; row < args.rows; ++row) {
    const RowRange range = RangeOf(Voters::kMeans, args.p.rows, row);
    sum += __half2float(mean[row * dim]) * static_cast<float>(range.end - range.begin);
  }
  *mean = Numbers<__half>::From(sum / static_cast<float>(args.p.rows));
}

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

int64_t __host__ __device__ Stride(int64_t most_spans) { return CeilDiv<int64_t>(most_spans, kScanSpans) * kScanSpans; }

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
    char* place = to + RowByte<kDim>(row, chunk);
    if (!IsDirect(args)) {
      CopyAsync16(SharedAddress(place), queries + from * kDim + chunk * 8);
      continue;
    }
    const float* x = args.p.data + args.index.heads.heads[first_voter + from] * kDim + chunk * 8;
    __half halves[8];
#pragma unroll
    for (int j = 0; j < 8; ++j) halves[j] = Numbers<__half>::From(x[j]);
    *reinterpret_cast<uint4*>(place) = *reinterpret_cast<const uint4*>(halves);
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

__device__ RowWeight* RowWeights(const VoteArgs& args) {
  const int64_t rows = args.index.heads.voters * args.rows;
  return reinterpret_cast<RowWeight*>(static_cast<__half*>(args.relevance) + rows * Stride(args.most_spans));
}

// A block of threads a row.
template <int kMost>
__global__ void __launch_bounds__(kMostThreads) WeighKernel(const __grid_constant__ Together<VoteArgs, kMost> all) {
  LetNextStart();
  WaitForInputs();
  __shared__ float scratch[kWarp];
  const VoteArgs& args = all.of[blockIdx.z];
  if (blockIdx.x >= args.index.heads.voters * args.rows) return;
  const int64_t stride = Stride(args.most_spans);
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
  const float* weights = args.index.heads.weights;
  const float head = weights != nullptr ? weights[blockIdx.x / args.rows] : 1.0F;
  RowWeights(args)[blockIdx.x] = {highest,
                                  head * (args.by_entropy ? decided : 1.0F) / (sum * static_cast<float>(args.rows))};
}

// votes: a lane two spans, warps share the rows.
template <int kMost>
__global__ void VoteKernel(const __grid_constant__ Together<VoteArgs, kMost> all) {
  LetNextStart();
  WaitForInputs();
  const VoteArgs& args = all.of[blockIdx.z];
  const int64_t stride = Stride(args.most_spans);
  const RowWeight* weights = RowWeights(args);
  __shared__ float2 parts[kVoteWarps][kWarp];
  const int64_t spans = *args.index.spans;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t span = (blockIdx.x * static_cast<int64_t>(kWarp) + lane) * 2;
  if (blockIdx.x * static_cast<int64_t>(kWarp) * 2 >= spans) return;
  const auto* relevance = static_cast<const __half*>(args.relevance) + min(span, stride - 2);
  const int64_t rows = args.index.heads.voters * args.rows;
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
  if (args.asked != nullptr && span < spans) args.asked[span] += sum.x;
  if (args.asked != nullptr && span + 1 < spans) args.asked[span + 1] += sum.y;
  const float mine = fmaxf(span < spans ? sum.x : 0.0F, span + 1 < spans ? sum.y : 0.0F);
  const float highest = WarpMax(mine);
  if (lane == 0) atomicMax(args.highest, __float_as_uint(highest));
}

struct VoteLaunch {
  int64_t stride = 0;
  int64_t indexed = 0;
  int64_t voters = 0;
  int64_t rows = 0;  // of a voter
};

template <int kMost>
void Collect(Stream stream, const Together<VoteArgs, kMost>& all, const VoteLaunch& most, int count) {
  const VoteArgs& args = all.of[0];
  const bool of_means = args.voters == Voters::kMeans && most.rows > 1;
  const int64_t first = of_means ? 1 : 0;
  const int threads = std::min(8 * args.shape.head_dim, kMostThreads);
  Launch(stream, "collecting voters", {Grid(most.rows - first, most.voters, count), threads, threads * 4, true},
         CollectKernel<kMost>, all, first);
  if (!of_means) return;
  Launch(stream, "collecting voters", {Grid(most.voters, 1, count), args.shape.head_dim, 0, true},
         MeanOfMeansKernel<kMost>, all);
}

template <int kMost>
void Cast(Stream stream, const Together<VoteArgs, kMost>& all, int count) {
  VoteLaunch most;
  for (int i = 0; i < count; ++i) {
    const VoteArgs& args = all.of[i];
    most.stride = std::max(most.stride, Stride(args.most_spans));
    most.indexed = std::max<int64_t>(most.indexed, args.index.heads.indexed);
    most.voters = std::max<int64_t>(most.voters, args.index.heads.voters);
    most.rows = std::max(most.rows, args.rows);
  }
  if (!IsDirect(all.of[0])) Collect(stream, all, most, count);
  const int dim = all.of[0].shape.head_dim;
  const int64_t rows = most.voters * most.rows;
  const int64_t in_shared = std::max<int64_t>(kScanVectors, std::min<int64_t>(kScanRows, rows + 7));
  const LaunchShape scan{Grid(most.stride / kScanSpans, most.indexed, count), kScanThreads,
                         static_cast<int>(in_shared) * dim * 2, true};
  const auto scanner = dim == 256   ? ScanKernel<256, kMost>
                       : dim == 128 ? ScanKernel<128, kMost>
                                    : ScanKernel<64, kMost>;
  Launch(stream, "searching the index", scan, scanner, all);
  // Threads: one row after another, or many at once.
  const int weighing = rows * count < Processors() ? kMostThreads : 256;
  Launch(stream, "weighing votes", {Grid(rows, 1, count), weighing, 0, true}, WeighKernel<kMost>, all);
  Launch(stream, "counting votes",
         {Grid(CeilDiv<int64_t>(most.stride, 2 * kWarp), 1, count), kVoteWarps * kWarp, 0, true}, VoteKernel<kMost>,
         all);
}

}  // namespace

int64_t VoterRows(Voters voters, int64_t rows) {
  if (voters == Voters::kLastRows) return std::min(rows, kSubBlock);
  return voters == Voters::kMean || rows <= kSubBlock ? 1 : 1 + CeilDiv(rows, kSubBlock);
}

int64_t VoterBytes(const HeadShape& shape, int64_t voters, int64_t rows) { return voters * rows * shape.head_dim * 2; }

int64_t VoteScratchBytes(int64_t voters, int64_t rows, int64_t most_spans) {
  return voters * rows * (Stride(most_spans) * 2 + static_cast<int64_t>(sizeof(RowWeight)));
}

void CastVotes(Stream stream, std::span<const VoteArgs> args) {
  StartTogether(args, [&](const auto& some, int count) { Cast(stream, some, count); });
}

}  // namespace ltri::cuda
