#include <algorithm>

#include "ops/cuda/index.h"
#include "ops/cuda/index_scan.cuh"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/together.cuh"

namespace ltri::cuda {
namespace {

constexpr int64_t kSubBlock = 64;
constexpr int kMostThreads = 1024;
constexpr int kVoteWarps = 8;
constexpr int64_t kPartSpans = 8192;  // of a row that a block of threads weighs as fast as it starts

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

// Of a part of a row's softmax: its maximum, the sum of exponentials over it, and that sum weighed by how far below the
// maximum each is.
struct RowPart {
  float highest;
  float sum;
  float moment;
};
constexpr int kMostParts = 8;

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

// [rows, kMostParts]
__device__ RowPart* RowParts(const VoteArgs& args) {
  const int64_t rows = args.index.heads.voters * args.rows;
  return reinterpret_cast<RowPart*>(static_cast<__half*>(args.relevance) + rows * Stride(args.most_spans));
}

// What a row's parts come to together.
__device__ RowWeight WeightOf(const VoteArgs& args, int64_t row, int parts) {
  const RowPart* from = RowParts(args) + row * kMostParts;
  RowPart of[kMostParts];
#pragma unroll
  for (int i = 0; i < kMostParts; ++i) of[i] = i < parts ? from[i] : RowPart{-INFINITY, 0, 0};
  float highest = -INFINITY;
#pragma unroll
  for (const RowPart& part : of) highest = fmaxf(highest, part.highest);
  float sum = 0;
  float moment = 0;
#pragma unroll
  for (const RowPart& part : of) {
    if (part.sum == 0) continue;  // no span fell to it
    const float below = part.highest - highest;
    const float by = __expf(below);
    sum += by * part.sum;
    moment += by * (part.moment + below * part.sum);
  }
  const float entropy = logf(sum) - moment / sum;
  const float spans = static_cast<float>(max(*args.index.spans, 2));
  const float decided = fmaxf(0.0F, 1.0F - entropy / logf(spans));
  const float* weights = args.index.heads.weights;
  const float head = weights != nullptr ? weights[row / args.rows] : 1.0F;
  return {highest, head * (args.by_entropy ? decided : 1.0F) / (sum * static_cast<float>(args.rows))};
}

// A block of threads a part of a row.
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
  const int64_t begin = eights * blockIdx.y / gridDim.y;
  const int64_t end = eights * (blockIdx.y + 1) / gridDim.y;
  float highest = -INFINITY;
#pragma unroll 4
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    for (const float x : Relevance8(row, i, spans).of) highest = fmaxf(highest, x);
  }
  highest = WarpMax(highest);
  if (threadIdx.x % kWarp == 0) scratch[threadIdx.x / kWarp] = highest;
  __syncthreads();
  for (int w = 0; w < static_cast<int>(blockDim.x) / kWarp; ++w) highest = fmaxf(highest, scratch[w]);
  float sum = 0;
  float moment = 0;
#pragma unroll 2
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    for (const float x : Relevance8(row, i, spans).of) {
      const float below = fmaxf(x - highest, kFar);
      const float part = __expf(below);
      sum += part;
      moment += part * below;
    }
  }
  sum = BlockSum(sum, scratch);
  moment = BlockSum(moment, scratch);
  if (threadIdx.x == 0) RowParts(args)[blockIdx.x * kMostParts + blockIdx.y] = {highest, sum, moment};
}

// votes: a lane two spans, warps share the rows.
template <int kMost>
__global__ void VoteKernel(const __grid_constant__ Together<VoteArgs, kMost> all, int row_parts) {
  LetNextStart();
  WaitForInputs();
  const VoteArgs& args = all.of[blockIdx.z];
  const int64_t stride = Stride(args.most_spans);
  __shared__ float2 parts[kVoteWarps][kWarp];
  const int64_t spans = *args.index.spans;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t span = (blockIdx.x * static_cast<int64_t>(kWarp) + lane) * 2;
  if (blockIdx.x * static_cast<int64_t>(kWarp) * 2 >= spans) return;
  const auto* relevance = static_cast<const __half*>(args.relevance) + min(span, stride - 2);
  const int64_t rows = args.index.heads.voters * args.rows;
  constexpr int kAtOnce = kVoteWarps * kWarp;  // rows
  __shared__ RowWeight weights[kAtOnce];
  float2 sum{0, 0};
  for (int64_t first = 0; first < rows; first += kAtOnce) {
    const auto count = static_cast<int>(min(rows - first, int64_t{kAtOnce}));
    __half2 of_first{};  // a warp's first row, on its way while weights are found
    if (warp < count) of_first = *reinterpret_cast<const __half2*>(relevance + (first + warp) * stride);
    __syncthreads();
    const auto thread = static_cast<int>(threadIdx.x);
    if (thread < count) weights[thread] = WeightOf(args, first + thread, row_parts);
    __syncthreads();
#pragma unroll 4
    for (int r = warp; r < count; r += kVoteWarps) {
      const float2 x = __half22float2(
          r == warp ? of_first : *reinterpret_cast<const __half2*>(relevance + (first + r) * stride));
      const RowWeight w = weights[r];
      sum.x += __expf(x.x - w.highest) * w.weight;
      sum.y += __expf(x.y - w.highest) * w.weight;
    }
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
void Search(Stream stream, const Together<VoteArgs, kMost>& all, const VoteLaunch& most, int count) {
  const int dim = all.of[0].shape.head_dim;
  LaunchShape shape{Grid(most.stride / kScanSpans, most.indexed, count), kScanThreads, 0, true};
  if (IsDirect(all.of[0])) {
    const auto direct = dim == 256   ? ScanDirectKernel<256, kMost>
                        : dim == 128 ? ScanDirectKernel<128, kMost>
                                     : ScanDirectKernel<64, kMost>;
    // As many as are there at once.
    const int blocks = dim == 256 ? kDirectBlocks<256> : kDirectBlocks<128>;
    const int64_t resident = CeilDiv<int64_t>(int64_t{blocks} * Processors(), most.indexed * count);
    shape.grid.x = static_cast<unsigned>(std::min(most.stride / kScanSpans, resident));
    return Launch(stream, "searching the index", shape, direct, all);
  }
  const int64_t rows = most.voters * most.rows;
  const int64_t in_shared = std::max<int64_t>(kScanVectors, std::min<int64_t>(kScanRows, rows + 7));
  shape.shared_bytes = static_cast<int>(in_shared) * dim * 2;
  const auto scanner = dim == 256   ? ScanKernel<256, kMost>
                       : dim == 128 ? ScanKernel<128, kMost>
                                    : ScanKernel<64, kMost>;
  Launch(stream, "searching the index", shape, scanner, all);
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
  const int64_t rows = most.voters * most.rows;
  Search(stream, all, most, count);
  // Threads: one row after another, or many at once, which share long rows.
  const bool few = rows * count < Processors();
  const int weighing = few ? kMostThreads : 256;
  const int parts = few ? static_cast<int>(std::clamp<int64_t>(most.stride / kPartSpans, 1, kMostParts)) : 1;
  Launch(stream, "weighing votes", {Grid(rows, parts, count), weighing, 0, true}, WeighKernel<kMost>, all);
  Launch(stream, "counting votes",
         {Grid(CeilDiv<int64_t>(most.stride, 2 * kWarp), 1, count), kVoteWarps * kWarp, 0, true}, VoteKernel<kMost>,
         all, parts);
}

}  // namespace

int64_t VoterRows(Voters voters, int64_t rows) {
  if (voters == Voters::kLastRows) return std::min(rows, kSubBlock);
  return voters == Voters::kMean || rows <= kSubBlock ? 1 : 1 + CeilDiv(rows, kSubBlock);
}

int64_t VoterBytes(const HeadShape& shape, int64_t voters, int64_t rows) { return voters * rows * shape.head_dim * 2; }

int64_t VoteScratchBytes(int64_t voters, int64_t rows, int64_t most_spans) {
  return voters * rows * (Stride(most_spans) * 2 + kMostParts * static_cast<int64_t>(sizeof(RowPart)));
}

void CastVotes(Stream stream, std::span<const VoteArgs> args) {
  StartTogether(args, [&](const auto& some, int count) { Cast(stream, some, count); });
}

}  // namespace ltri::cuda
