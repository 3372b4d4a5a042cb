#include <algorithm>

#include "ops/cuda/choose.h"
#include "ops/cuda/chooser.cuh"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/together.cuh"

namespace ltri::cuda {
namespace {

constexpr int kBoardThreads = 256;
constexpr int kBoardLanes = 8;          // threads a span
constexpr float kUnit = 4294967296.0F;  // of a board's votes
constexpr int64_t kFewSpans = 12288;    // one block of threads takes them as fast as a cluster

// What the layer's votes on a span change on the board, for each of its tokens.
__device__ BoardVote Change(const BoardArgs& args, int64_t span, int32_t length) {
  if (args.votes == nullptr) return 0;
  const float least = args.minor * __uint_as_float(*args.highest);
  const float vote = args.votes[span] >= least ? args.votes[span] : 0.0F;
  const float before = args.cast[span];
  if (vote == before) return 0;
  args.cast[span] = vote;
  const auto tokens = static_cast<float>(length);
  return static_cast<BoardVote>(vote / tokens * kUnit) - static_cast<BoardVote>(before / tokens * kUnit);
}

template <int kMost>
__global__ void TallyKernel(const __grid_constant__ Together<BoardArgs, kMost> all) {
  LetNextStart();
  WaitForInputs();
  const BoardArgs& args = all.of[blockIdx.y];
  const int64_t span = (blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x) / kBoardLanes;
  const auto lane = static_cast<int32_t>(threadIdx.x) % kBoardLanes;
  const bool exists = span < *args.index.spans;
  const int32_t begin = exists ? args.index.borders[span] : 0;
  const int32_t end = exists ? args.index.borders[span + 1] : 0;
  BoardVote change = exists && lane == 0 ? Change(args, span, end - begin) : 0;
  change = __shfl_sync(~0U, change, 0, kBoardLanes);
  BoardVote sum = 0;
#pragma unroll 2
  for (int32_t t = begin + lane; t < end; t += kBoardLanes) {
    const BoardVote vote = args.board[t] + change;
    if (change != 0) args.board[t] = vote;
    sum += vote;
  }
#pragma unroll
  for (int other = kBoardLanes / 2; other > 0; other /= 2) sum += __shfl_xor_sync(~0U, sum, other);
  if (exists && lane == 0) args.totals[span] = static_cast<float>(sum) / kUnit;
}

__device__ void NumberPositions(LayerView& view, bool true_positions) {
  view.far_true = true_positions ? 1 : 0;
  view.local_position = true_positions ? view.local_begin : view.far;
}

// Gives far rows on the host their slots, and says which are to be filled. Of rows that share a slot the last has it;
// the others are read over the bus. By one block of threads.
__device__ void FindPlaces(const ChooseArgs& args, int32_t far) {
  const FarSlots& slots = args.slots;
  const int32_t host_end = args.view->host_end;
  const auto on_host = [&](int32_t token) { return token >= kBlockTokens && token < host_end; };
  const auto first = static_cast<int32_t>(threadIdx.x);
#pragma unroll 1
  for (int32_t i = first; i < far; i += kChooserThreads) {
    const int32_t token = args.rows[i];
    if (on_host(token)) slots.wanted[token % slots.count] = -1;
  }
  if (first == 0) slots.missing[0] = 0;
  __syncthreads();
#pragma unroll 1
  for (int32_t i = first; i < far; i += kChooserThreads) {
    const int32_t token = args.rows[i];
    if (on_host(token)) atomicMax(&slots.wanted[token % slots.count], token);
  }
  __syncthreads();
#pragma unroll 1
  for (int32_t i = first; i < far; i += kChooserThreads) {
    const int32_t token = args.rows[i];
    const int32_t slot = token % slots.count;
    const bool has = on_host(token) && slots.wanted[slot] == token;
    slots.places[i] = has ? kMostTokens + slot : token;
    if (!has || slots.tokens[slot] == token) continue;
    slots.tokens[slot] = token;
    slots.missing[1 + atomicAdd(&slots.missing[0], 1)] = slot;
  }
}

template <int kBlocks, bool kShared, int kMost>
__global__ void __launch_bounds__(kChooserThreads, 1)
    ChooseKernel(const __grid_constant__ Together<ChooseArgs, kMost> all, int32_t shared_spans) {
  LetNextStart();
  WaitForInputs();
  extern __shared__ __align__(16) char memory[];
  __shared__ ChooserShared shared;
  const ChooseArgs& args = all.of[blockIdx.y];
  if (*args.index.spans == 0) return;
  Chooser<kBlocks, kShared> chooser(args, shared, memory, shared_spans);
  const int32_t left = chooser.TakeAll();
  if (left > 0) chooser.TakeNewest(left);
  const int32_t far = chooser.WriteRows();
  if (Team<kBlocks>::Rank() == 0 && chooser.thread == 0 && args.view != nullptr) {
    args.view->far = far;
    args.view->local_begin = args.index.borders[chooser.spans];
    args.view->far_cached = args.slots.count > 0 ? 1 : 0;
    NumberPositions(*args.view, args.true_positions != 0);
  }
  Team<kBlocks>::Sync();  // rows are there; nobody leaves while another reads its shared memory
  if (Team<kBlocks>::Rank() == 0 && args.slots.count > 0 && args.view != nullptr) FindPlaces(args, far);
}

__global__ void AdvanceKernel(LayerView* views, int32_t layers, int32_t begin, int32_t end, int32_t first,
                              int32_t host_end, bool true_positions, bool open) {
  const auto layer = static_cast<int32_t>(threadIdx.x);
  if (layer >= layers) return;
  LayerView view = views[layer];
  view.end = end;
  view.host_end = host_end;
  if (open) view.far = view.local_begin = 0;
  if (view.window > 0) view.local_begin = max(first, begin - view.window + 1);
  // Within a window only distances matter, so its positions may begin at 0 whatever the length of the text.
  NumberPositions(view, true_positions && view.window == 0);
  views[layer] = view;
}

// How many spans of a block shared memory has room for, at most `wanted`; 0: not all of those.
int64_t SharedSpans(int64_t wanted) {
  static const int most = [] {
    int bytes = 0;
    Check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0), "asking for shared memory");
    return bytes;
  }();
  return SpanTable::Bytes(wanted) + static_cast<int64_t>(sizeof(ChooserShared)) + 1024 <= most ? wanted : 0;
}

template <int kMost>
void Choose(Stream stream, const Together<ChooseArgs, kMost>& all, int count) {
  int64_t spans = 1;
  for (int i = 0; i < count; ++i) spans = std::max(spans, all.of[i].most_spans);
  const int blocks = spans > kFewSpans && HasClusters() ? kClusterBlocks : 1;
  const int64_t in_shared = SharedSpans(CeilDiv<int64_t>(spans, blocks));
  const LaunchShape shape{dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(count)), kChooserThreads,
                          in_shared > 0 ? static_cast<int>(SpanTable::Bytes(in_shared)) : 0, true, blocks};
  const auto alone = in_shared > 0 ? ChooseKernel<1, true, kMost> : ChooseKernel<1, false, kMost>;
  const auto cluster =
      in_shared > 0 ? ChooseKernel<kClusterBlocks, true, kMost> : ChooseKernel<kClusterBlocks, false, kMost>;
  Launch(stream, "choosing spans", shape, blocks > 1 ? cluster : alone, all, static_cast<int32_t>(in_shared));
}

}  // namespace

void TallyVotes(Stream stream, std::span<const BoardArgs> args) {
  StartTogether(args, [&](const auto& some, int count) {
    int64_t spans = 1;
    for (int i = 0; i < count; ++i) spans = std::max(spans, some.of[i].most_spans);
    const auto blocks = static_cast<unsigned>(CeilDiv<int64_t>(spans, kBoardThreads / kBoardLanes));
    Launch(stream, "counting votes", {dim3(blocks, static_cast<unsigned>(count)), kBoardThreads, 0, true},
           TallyKernel<sizeof(some.of) / sizeof(BoardArgs)>, some);
  });
}

void ChooseSpans(Stream stream, std::span<const ChooseArgs> args) {
  StartTogether(args, [&](const auto& some, int count) { Choose(stream, some, count); });
}

void AdvanceViews(Stream stream, LayerView* views, int64_t layers, int32_t begin, int32_t end, int32_t first, int32_t host_end,
                  bool true_positions, bool open) {
  Launch(stream, "beginning a step", {dim3(1), static_cast<int>(layers)}, AdvanceKernel, views,
         static_cast<int32_t>(layers), begin, end, first, host_end, true_positions, open);
}

}  // namespace ltri::cuda
