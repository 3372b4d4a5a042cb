#include <algorithm>

#include "ops/cuda/choose.h"
#include "ops/cuda/cluster.cuh"
#include "ops/cuda/launch.cuh"

namespace ltri::cuda {
namespace {

constexpr int kBoardThreads = 256;
constexpr int kThreads = 1024;
constexpr int kBatch = 8;               // spans that a thread reads at once
constexpr float kUnit = 4294967296.0F;  // of a board's votes
constexpr float kForgotten = 1e-4F;     // of the heaviest weight: will not be chosen for any more

// A warp a span.
__global__ void ShareKernel(BoardArgs args) {
  LetNextStart();
  WaitForInputs();
  const int64_t span = (blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x) / kWarp;
  if (span >= *args.index.spans) return;
  const float least = args.minor * __uint_as_float(*args.highest);
  const float vote = args.votes[span] >= least ? args.votes[span] : 0.0F;
  const float before = args.cast[span];
  if (vote == before) return;
  const int32_t begin = args.index.borders[span];
  const int32_t end = args.index.borders[span + 1];
  const auto length = static_cast<float>(end - begin);
  const BoardVote change =
      static_cast<BoardVote>(vote / length * kUnit) - static_cast<BoardVote>(before / length * kUnit);
  const auto lane = static_cast<int32_t>(threadIdx.x) % kWarp;
  for (int32_t t = begin + lane; t < end; t += kWarp) args.board[t] += change;
  if (lane == 0) args.cast[span] = vote;
}

__global__ void TotalKernel(BoardArgs args) {
  LetNextStart();
  WaitForInputs();
  const int64_t span = (blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x) / kWarp;
  if (span >= *args.index.spans) return;
  const auto lane = static_cast<int32_t>(threadIdx.x) % kWarp;
  BoardVote sum = 0;
  for (int32_t t = args.index.borders[span] + lane; t < args.index.borders[span + 1]; t += kWarp) {
    sum += args.board[t];
  }
  for (int other = kWarp / 2; other > 0; other /= 2) sum += __shfl_xor_sync(~0U, sum, other);
  if (lane == 0) args.totals[span] = static_cast<float>(sum) / kUnit;
}

// What the threads of a block share, and other blocks of the cluster read.
struct Shared {
  // Tokens of the block's spans in each of 256 ranges of scores. A pass counts into the next: the one before may still
  // be read, and the one after is being cleared.
  int32_t lengths[3][256];
  int32_t scan[kWarp];
  float largest[kWarp];
  float heaviest;
  int32_t tie;
  int32_t total;
  // The same in all blocks.
  uint32_t prefix;
  int32_t left;
  int32_t crossing;
};

struct Candidate {
  uint32_t bits;  // of its score, which order like the score
  int32_t length;
};

// Every span belongs to one thread of the cluster, which alone reads and writes what is kept of it.
struct Chooser {
  const ChooseArgs& a;
  Shared& s;
  int32_t spans;
  int32_t thread;  // of the block
  int32_t own;     // of the cluster: its spans are this one and every `all` further
  int32_t all;     // threads
  int pass = 0;

  __device__ Chooser(const ChooseArgs& args, Shared& shared)
      : a(args),
        s(shared),
        spans(*args.index.spans),
        thread(static_cast<int32_t>(threadIdx.x)),
        own(ClusterRank() * kThreads + thread),
        all(ClusterSize() * kThreads) {
    if (thread < 256) s.lengths[0][thread] = 0;
    for (int32_t i = own; i < spans; i += all) a.picked[i] = 0;
  }

  __device__ int32_t Length(int32_t span) const { return a.index.borders[span + 1] - a.index.borders[span]; }

  // Takes the spans of the highest positive scores that fit `share` tokens, and the one that crosses it if the total is
  // nearer then. Taken before: not again. Returns what is left of the share.
  template <typename Score>
  __device__ int32_t TakeHighest(int32_t share, Score&& score) {
    if (thread == 0) {
      s.prefix = 0;
      s.left = share;
      s.tie = spans;
    }
    __syncthreads();
    for (int shift = 24; shift >= 0; shift -= 8) Narrow(shift, score);
    // Scores above the prefix fit; of those equal to it, the first may cross.
    const uint32_t border = s.prefix;
#pragma unroll kBatch
    for (int32_t i = own; i < spans; i += all) {
      const uint32_t bits = Read(i, score).bits;
      if (bits > border) a.picked[i] = 1;
      if (bits == border && bits != 0) atomicMin(&s.tie, i);
    }
    ClusterSync();
    if (thread == 0) {
      s.crossing = -1;
      const int32_t tie = OverCluster(&s.tie, spans, [](int32_t x, int32_t y) { return min(x, y); });
      const int32_t length = tie < spans ? Length(tie) : 0;
      if (tie < spans && s.left > 0 && length - s.left <= s.left) {
        s.crossing = tie;
        s.left -= length;
      }
    }
    __syncthreads();
    if (s.crossing >= 0 && s.crossing % all == own) a.picked[s.crossing] = 1;
    return s.left;
  }

  // Finds the next 8 bits, from `shift` on, of the score at which the share is full.
  template <typename Score>
  __device__ void Narrow(int shift, Score&& score) {
    int32_t(&lengths)[256] = s.lengths[pass++ % 3];
    const uint32_t prefix = s.prefix;
    for (int32_t base = 0; base < spans; base += kBatch * all) {
      Candidate candidates[kBatch];
#pragma unroll
      for (int j = 0; j < kBatch; ++j) candidates[j] = Read(base + own + j * all, score);
#pragma unroll
      for (int j = 0; j < kBatch; ++j) {
        if (base + j * all >= spans) break;
        const uint32_t bits = candidates[j].bits;
        const bool counts = bits != 0 && (shift == 24 || bits >> (shift + 8) == prefix);
        AddLength(lengths, counts, bits >> shift & 255, candidates[j].length);
      }
    }
    if (thread < 256) s.lengths[pass % 3][thread] = 0;
    ClusterSync();
    // Ranges from the highest down, one a thread: the first that does not fit is looked into.
    const int32_t range = 255 - thread;
    const int32_t mine = range < 0 ? 0 : OverCluster(&lengths[range], 0, [](int32_t x, int32_t y) { return x + y; });
    const int32_t left = s.left;
    int32_t total = 0;
    const int32_t before = SumBefore(mine, &total);
    if (range >= 0 && before <= left && (before + mine > left || range == 0)) {
      s.left = left - before;
      s.prefix = prefix << 8 | static_cast<uint32_t>(range);
    }
    __syncthreads();
  }

  // Most scores fall into few ranges: a warp adds those of one range at once.
  __device__ void AddLength(int32_t (&lengths)[256], bool counts, uint32_t range, int32_t length) const {
    const uint32_t counting = __ballot_sync(~0U, counts);
    if (!counts) return;
    const uint32_t alike = __match_any_sync(counting, range);
    const int32_t sum = __reduce_add_sync(alike, length);
    if (thread % kWarp == __ffs(static_cast<int>(alike)) - 1) atomicAdd(&lengths[range], sum);
  }

  // A span's score, 0 where it cannot be taken. All loads may be under way at once.
  template <typename Score>
  __device__ Candidate Read(int32_t span, Score&& score) const {
    if (span >= spans) return {0, 0};
    const float x = score(span);
    const bool taken = a.picked[span] != 0;
    return {x > 0 && !taken ? __float_as_uint(x) : 0U, Length(span)};
  }

  // weights = decay * weights + gain * votes.
  __device__ void Remember() {
    float largest = 0;
#pragma unroll kBatch
    for (int32_t i = own; i < spans; i += all) {
      const float weight = a.decay * a.weights[i] + a.gain * fmaxf(a.votes[i], 0.0F);
      a.weights[i] = weight;
      largest = fmaxf(largest, weight);
    }
    largest = WarpMax(largest);
    if (thread % kWarp == 0) s.largest[thread / kWarp] = largest;
    __syncthreads();
    if (thread < kWarp) {
      largest = WarpMax(s.largest[thread]);
      if (thread == 0) s.heaviest = largest;
    }
    ClusterSync();
    largest = OverCluster(&s.heaviest, 0.0F, [](float x, float y) { return fmaxf(x, y); });
    for (int32_t i = own; i < spans; i += all) {
      if (a.weights[i] < kForgotten * largest) a.weights[i] = 0;
    }
  }

  // The sum of x over the threads before this one in the block; *total: over all of the block.
  __device__ int32_t SumBefore(int32_t x, int32_t* total) {
    const int32_t lane = thread % kWarp;
    const int32_t warp = thread / kWarp;
    int32_t sum = x;
    for (int other = 1; other < kWarp; other *= 2) {
      const int32_t lower = __shfl_up_sync(~0U, sum, other);
      if (lane >= other) sum += lower;
    }
    __syncthreads();
    if (lane == kWarp - 1) s.scan[warp] = sum;
    __syncthreads();
    int32_t before = 0;
    int32_t every = 0;
    for (int w = 0; w < kThreads / kWarp; ++w) {
      if (w < warp) before += s.scan[w];
      every += s.scan[w];
    }
    *total = every;
    return before + sum - x;
  }

  // Takes the newest spans while they fit. By one block, when all have taken theirs.
  __device__ void TakeNewest(int32_t left) {
    for (int32_t last = spans; last > 0 && left > 0; last -= kThreads) {
      const int32_t span = last - 1 - thread;
      const int32_t length = span >= 0 && a.picked[span] == 0 ? Length(span) : 0;
      int32_t total = 0;
      const int32_t before = SumBefore(length, &total);
      if (length > 0 && before + length <= left) a.picked[span] = 1;
      left -= total;
    }
  }

  // Writes the rows of what was picked, in text order; returns how many far rows there are. Blocks and threads take
  // spans that follow each other.
  __device__ int32_t WriteRows() {
    const int32_t rank = ClusterRank();
    const int32_t of_block = CeilDiv(spans, ClusterSize());
    const int32_t block_end = min(spans, (rank + 1) * of_block);
    const int32_t each = CeilDiv(of_block, kThreads);
    const int32_t begin = min(block_end, rank * of_block + thread * each);
    const int32_t end = min(block_end, begin + each);
    int32_t mine = 0;
#pragma unroll kBatch
    for (int32_t i = begin; i < end; ++i) mine += a.picked[i] != 0 ? Length(i) : 0;
    int32_t total = 0;
    int32_t at = a.sinks + SumBefore(mine, &total);
    if (thread == 0) s.total = total;
    ClusterSync();
    int32_t far = a.sinks;
    for (int32_t block = 0; block < ClusterSize(); ++block) {
      const int32_t tokens = InBlock(&s.total, block);
      if (block < rank) at += tokens;
      far += tokens;
    }
    for (int32_t i = begin; i < end; ++i) {
      if (a.picked[i] == 0) continue;
      for (int32_t t = a.index.borders[i]; t < a.index.borders[i + 1]; ++t) a.rows[at++] = t;
    }
    for (int32_t t = own; t < a.sinks; t += all) a.rows[t] = t;
    return far;
  }
};

__device__ void NumberPositions(LayerView& view, bool true_positions) {
  view.far_true = true_positions ? 1 : 0;
  view.local_position = true_positions ? view.local_begin : view.far;
}

__global__ void __launch_bounds__(kThreads) ChooseKernel(ChooseArgs args) {
  LetNextStart();
  WaitForInputs();
  __shared__ Shared shared;
  if (*args.index.spans == 0) return;
  Chooser chooser(args, shared);
  int32_t left = args.budget;
  if (args.share > 0) {
    left -= args.share - chooser.TakeHighest(args.share, [&](int32_t i) { return args.weights[i]; });
  }
  chooser.Remember();
  left = chooser.TakeHighest(left, [&](int32_t i) { return args.votes[i]; });
  ClusterSync();  // from here on, threads read what others picked
  if (left > 0) {
    if (ClusterRank() == 0) chooser.TakeNewest(left);
    ClusterSync();
  }
  const int32_t far = chooser.WriteRows();
  if (chooser.own == 0 && args.view != nullptr) {
    args.view->far = far;
    args.view->local_begin = args.index.borders[chooser.spans];
    args.view->far_cached = args.cached;
    NumberPositions(*args.view, args.true_positions != 0);
  }
  ClusterSync();  // nobody leaves while another reads its shared memory
}

__global__ void AdvanceKernel(LayerView* views, int32_t layers, int32_t end, bool true_positions, bool open) {
  const auto layer = static_cast<int32_t>(threadIdx.x);
  if (layer >= layers) return;
  LayerView view = views[layer];
  view.end = end;
  if (open) view.far = view.local_begin = 0;
  NumberPositions(view, true_positions);
  views[layer] = view;
}

}  // namespace

void ShareVotes(Stream stream, const BoardArgs& args) {
  const dim3 grid(static_cast<unsigned>(CeilDiv<int64_t>(args.most_spans, kBoardThreads / kWarp)));
  Launch(stream, "sharing votes", {grid, kBoardThreads, 0, true}, ShareKernel, args);
  Launch(stream, "sharing votes", {grid, kBoardThreads, 0, true}, TotalKernel, args);
}

void ChooseSpans(Stream stream, const ChooseArgs& args) {
  const int blocks = HasClusters() ? kClusterBlocks : 1;
  Launch(stream, "choosing spans", {dim3(static_cast<unsigned>(blocks)), kThreads, 0, true, blocks}, ChooseKernel,
         args);
}

void AdvanceViews(Stream stream, LayerView* views, int64_t layers, int32_t end, bool true_positions, bool open) {
  Launch(stream, "beginning a step", {dim3(1), static_cast<int>(layers)}, AdvanceKernel, views,
         static_cast<int32_t>(layers), end, true_positions, open);
}

}  // namespace ltri::cuda
