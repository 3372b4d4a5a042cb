// A team of blocks of threads that chooses spans by votes within a budget: the inside of choose.cu.
//
// Each block has spans that follow each other, in shared memory where they fit. What fills a share is found with one
// look at how many tokens each range of votes has, and one at the few spans in the range where the share ends.
#ifndef LTRI_OPS_CUDA_CHOOSER_CUH_
#define LTRI_OPS_CUDA_CHOOSER_CUH_

#include "ops/cuda/choose.h"
#include "ops/cuda/cluster.cuh"
#include "ops/cuda/launch.cuh"

namespace ltri::cuda {

constexpr int kChooserThreads = 1024;
constexpr int kRanges = 2048;        // of scores; 64 to a power of two, so that few spans share one
constexpr int kRangeShift = 17;      // bits of a score that tell those of one range apart
constexpr int kMostTies = 256;       // spans in one range that are put in order at once
constexpr int kChain = 16;           // spans behind each other that loans are followed through
constexpr float kForgotten = 1e-4F;  // of the heaviest weight: will not be chosen for any more

// Of the team's spans, what one block has. Span `begin + k` is number k.
struct SpanTable {
  const int32_t* borders;  // [count + 1]
  float* votes;            // those of what was taken have a sign
  float* weights;
  float* loans;      // may be weights, which are read before
  uint8_t* lengths;  // in shared memory only

  // In shared memory: bytes for `spans`.
  static constexpr int64_t Bytes(int64_t spans) { return spans * 13 + 4; }
};

struct Candidate {
  uint32_t bits;  // of its score, which order like the score
  int32_t span;
  int32_t length;

  __device__ bool Precedes(const Candidate& other) const {
    return bits != other.bits ? bits > other.bits : span < other.span;
  }
};

// Of some spans, as bits.
struct Highest {
  uint32_t vote;
  uint32_t weight;
  uint32_t remembered;  // weight after this choice
};

// What the threads of a block share, and other blocks of the team read.
struct ChooserShared {
  alignas(8) int32_t lengths[kRanges];  // tokens of the block's spans in each range of scores
  Candidate ties[kMostTies];            // of block 0: all spans in the range where the share ends
  int32_t tie_count;
  int32_t remaining;  // of block 0
  int32_t total;
  Highest highest;
  // The same in all blocks.
  int32_t range;
  int32_t left;
  // Of block 0.
  int32_t taken;
  // Of the block.
  int32_t scan[2][kWarp];
  Highest highest_of[kWarp];
};

// kShared: whether a block's spans lie in shared memory.
template <int kBlocks, bool kShared>
struct Chooser {
  using Of = Team<kBlocks>;

  const ChooseArgs& a;
  ChooserShared& s;
  int32_t thread;
  int32_t spans;
  int32_t each_block;  // spans
  int32_t begin;
  int32_t count;
  SpanTable t;
  Highest highest;  // of all blocks
  int scans = 0;

  // shared_spans: how many spans of a block `memory` has room for.
  __device__ Chooser(const ChooseArgs& args, ChooserShared& shared, char* memory, int32_t shared_spans)
      : a(args), s(shared), thread(static_cast<int32_t>(threadIdx.x)), spans(*args.index.spans) {
    each_block = CeilDiv(spans, kBlocks);
    begin = min(spans, Of::Rank() * each_block);
    count = min(spans - begin, each_block);
    if constexpr (kShared) {
      auto* votes = reinterpret_cast<float*>(memory);
      auto* weights = votes + shared_spans;
      auto* borders = reinterpret_cast<int32_t*>(weights + shared_spans);
      t = {borders, votes, weights, weights, reinterpret_cast<uint8_t*>(borders + shared_spans + 1)};
      if (thread == 0) borders[count] = a.index.borders[begin + count];
      Read(borders);
    } else {
      t = {a.index.borders + begin, a.taken + begin, a.weights + begin, a.loans + begin, nullptr};
      Read(nullptr);
    }
  }

  // Fills the table and finds the highest scores.
  __device__ void Read(int32_t* borders) {
    Highest mine{0, 0, 0};
#pragma unroll 4
    for (int32_t k = thread; k < count; k += kChooserThreads) {
      const float vote = fmaxf(a.votes[begin + k], 0.0F);
      const float weight = a.weights[begin + k];
      mine.vote = max(mine.vote, __float_as_uint(vote));
      mine.weight = max(mine.weight, __float_as_uint(fmaxf(weight, 0.0F)));
      mine.remembered = max(mine.remembered, __float_as_uint(fmaxf(Remembered(vote, weight), 0.0F)));
      t.votes[k] = vote;
      if constexpr (kShared) {
        t.weights[k] = weight;
        borders[k] = a.index.borders[begin + k];
        t.lengths[k] = static_cast<uint8_t>(a.index.borders[begin + k + 1] - borders[k]);
      }
    }
    const auto over_warp = [](const Highest& h) {
      return Highest{__reduce_max_sync(~0U, h.vote), __reduce_max_sync(~0U, h.weight),
                     __reduce_max_sync(~0U, h.remembered)};
    };
    mine = over_warp(mine);
    if (thread % kWarp == 0) s.highest_of[thread / kWarp] = mine;
    __syncthreads();
    if (thread < kWarp) {
      mine = over_warp(s.highest_of[thread]);
      if (thread == 0) s.highest = mine;
    }
    Of::Sync();
    highest = Of::Over(&s.highest, Highest{0, 0, 0}, [](const Highest& x, const Highest& y) {
      return Highest{max(x.vote, y.vote), max(x.weight, y.weight), max(x.remembered, y.remembered)};
    });
  }

  __device__ float Remembered(float vote, float weight) const { return a.decay * weight + a.gain * vote; }

  // Spans are no longer than the band is wide.
  __device__ int32_t Length(int32_t k) const { return kShared ? t.lengths[k] : t.borders[k + 1] - t.borders[k]; }
  __device__ bool IsTaken(int32_t k) const { return __float_as_int(t.votes[k]) < 0; }

  // Spends the budget: by weight, by vote, on followers, and what is left by vote again. Returns what remains. A loop,
  // since the code of a kernel that runs now and then comes from memory each time, piece by piece.
  __device__ int32_t TakeAll() {
    const int32_t lent = a.reach > 0 ? a.lent : 0;
    int32_t left = a.budget;
#pragma unroll 1
    for (int stage = 0; stage < 4; ++stage) {
      const float* scores = t.votes;
      uint32_t most = highest.vote;
      int32_t kept = 0;  // of the budget, for later stages
      if (stage == 0) {
        scores = t.weights;
        most = highest.weight;
        kept = left - a.share;
      } else if (stage == 1) {
        Remember();
        kept = lent;
      } else if (stage == 2) {
        if (lent == 0) continue;
        Lend();
        scores = t.loans;
      }
      left = kept + TakeHighest(left - kept, scores, most);
    }
    return left;
  }

  // Takes the spans of the highest positive scores that fit `share` tokens, and the one that crosses it if the total is
  // nearer then. Taken before: not again. What is less than 2^-32 of `most`, which no score exceeds, counts as nothing.
  // Returns what is left of the share.
  __device__ int32_t TakeHighest(int32_t share, const float* scores, uint32_t most) {
    if (share <= 0 || most == 0) return share;
    int32_t left = share;
    int32_t ties = 0;
    auto base = static_cast<int32_t>(most >> kRangeShift) - (kRanges - 1);
    int ranges = kRanges;
#pragma unroll 1
    for (int shift = kRangeShift;;) {
      left = FindRange(left, scores, shift, base, ranges);
      const int32_t range = s.range;
      TakeAbove(scores, shift, base, ranges, range);
      Of::Sync();
      ties = *Of::In(0, &s.tie_count);
      if (ties <= kMostTies || shift == 0) break;
      Of::Sync();  // it is cleared
      // Those of the range once more, by the next bits.
      const int bits = min(shift, 11);
      base = (base + range) << bits;
      ranges = 1 << bits;
      shift -= bits;
    }
    // More spans than that with one and the same score stay out.
    if (Of::Rank() == 0) TakeTies(ties <= kMostTies ? ties : 0, left);
    Of::Sync();
    return *Of::In(0, &s.remaining);
  }

  // Number of a score's range; less than 0 when it cannot be taken. Of what was taken, votes have a sign, loans are
  // none, and weights come first.
  __device__ int32_t RangeOf(const float* scores, int32_t k, int shift, int32_t base) const {
    const float x = scores[k];
    return x > 0 ? static_cast<int32_t>(__float_as_uint(x) >> shift) - base : -1;
  }

  // s.range: the first from the highest down that does not fit, or -1 when all fit. Returns what those above it leave.
  __device__ int32_t FindRange(int32_t left, const float* scores, int shift, int32_t base, int ranges) {
    s.lengths[thread] = s.lengths[thread + kChooserThreads] = 0;
    if (thread == 0) s.tie_count = 0;
    __syncthreads();
#pragma unroll 2
    for (int32_t k = thread; k < count; k += kChooserThreads) {
      const int32_t range = RangeOf(scores, k, shift, base);
      if (range >= 0 && range < ranges) atomicAdd(&s.lengths[range], Length(k));
    }
    Of::Sync();
    // Two ranges a thread.
    static_assert(kRanges == 2 * kChooserThreads);
    const int32_t range = kRanges - 2 - 2 * thread;
    const auto add = [](int2 x, int2 y) { return int2{x.x + y.x, x.y + y.y}; };
    const int2 mine = Of::Over(reinterpret_cast<int2*>(&s.lengths[range]), int2{0, 0}, add);
    int32_t total = 0;
    const int32_t before = SumBefore(mine.x + mine.y, &total);
    const int32_t between = before + mine.y;
    const int32_t after = between + mine.x;
    if (before <= left && between > left) {
      s.range = range + 1;
      s.left = left - before;
    }
    if (between <= left && after > left) {
      s.range = range;
      s.left = left - between;
    }
    if (range == 0 && after <= left) {
      s.range = -1;
      s.left = left - after;
    }
    __syncthreads();
    return s.left;
  }

  // Takes the spans whose scores lie above the range, and lists those in it.
  __device__ void TakeAbove(const float* scores, int shift, int32_t base, int ranges, int32_t range) {
#pragma unroll 2
    for (int32_t k = thread; k < count; k += kChooserThreads) {
      const int32_t own = RangeOf(scores, k, shift, base);
      if (own < max(range, 0) || own >= ranges) continue;
      if (own > range) {
        t.votes[k] = -t.votes[k];
      } else if (const int32_t at = atomicAdd(Of::In(0, &s.tie_count), 1); at < kMostTies) {
        Of::In(0, s.ties)[at] = {__float_as_uint(scores[k]), begin + k, Length(k)};
      }
    }
  }

  // A thread a span, by block 0.
  __device__ void TakeTies(int32_t ties, int32_t left) {
    if (thread == 0) s.taken = 0;
    __syncthreads();
    if (thread < ties) {
      const Candidate mine = s.ties[thread];
      int32_t room = left;
#pragma unroll 2
      for (int32_t i = 0; i < ties; ++i) room -= s.ties[i].Precedes(mine) ? s.ties[i].length : 0;
      if (room > 0 && mine.length - room <= room) {
        Pick(mine.span);
        atomicAdd(&s.taken, mine.length);
      }
    }
    __syncthreads();
    if (thread == 0) s.remaining = left - s.taken;
  }

  // Any block's span.
  __device__ void Pick(int32_t span) {
    if constexpr (kShared) {
      float* vote = Of::In(span / each_block, t.votes) + span % each_block;
      *vote = -*vote;
    } else {
      a.taken[span] = -a.taken[span];
    }
  }

  // weights = decay * weights + gain * votes.
  __device__ void Remember() {
    const float least = kForgotten * __uint_as_float(highest.remembered);
#pragma unroll 1
    for (int32_t k = thread; k < count; k += kChooserThreads) {
      const float weight = Remembered(fabsf(t.votes[k]), t.weights[k]);
      a.weights[begin + k] = weight < least ? 0.0F : weight;
    }
  }

  // What voted spans lend to those behind them (spans/followers.h). A thread goes through spans that follow each other,
  // and some before them to know who lends. An odd number of them, for the banks' sake.
  __device__ void Lend() {
    const int32_t each = CeilDiv(count, kChooserThreads) | 1;
    const int32_t first = min(count, thread * each);
    const int32_t last = min(count, first + each);
    const float part = 1.0F / static_cast<float>(a.reach);
    float lender = 0;  // its vote
    int32_t lender_end = 0;
    const auto border = [&](int32_t k) { return kBlocks == 1 || k >= 0 ? t.borders[k] : a.index.borders[begin + k]; };
    int32_t k = max(first - kChain, -begin);
    int32_t at = border(k);
#pragma unroll 1
    for (; k < last; ++k) {
      const float vote = kBlocks == 1 || k >= 0 ? t.votes[k] : a.votes[begin + k];
      const float own = fabsf(vote);
      const int32_t end = border(k + 1);
      const int32_t distance = at - lender_end;
      const float loan = distance < a.reach ? lender * (1.0F - static_cast<float>(distance) * part) : 0.0F;
      const bool borrows = loan > own;
      if (k >= first) t.loans[k] = borrows && __float_as_int(vote) >= 0 ? loan : 0.0F;
      if (!borrows && own > 0) {
        lender = own;
        lender_end = end;
      }
      at = end;
    }
    __syncthreads();
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
    // In turn, so that one barrier does.
    int32_t(&scan)[kWarp] = s.scan[scans++ % 2];
    if (lane == kWarp - 1) scan[warp] = sum;
    __syncthreads();
    const int32_t of_warp = scan[lane];
    *total = __reduce_add_sync(~0U, of_warp);
    return __reduce_add_sync(~0U, lane < warp ? of_warp : 0) + sum - x;
  }

  // Takes the newest spans while they fit.
  __device__ void TakeNewest(int32_t left) {
    int32_t mine = 0;
#pragma unroll 1
    for (int32_t k = thread; k < count; k += kChooserThreads) mine += IsTaken(k) ? 0 : Length(k);
    SumBefore(mine, &mine);
    if (thread == 0) s.total = mine;
    Of::Sync();
    for (int32_t block = Of::Rank() + 1; block < kBlocks; ++block) left -= *Of::In(block, &s.total);
#pragma unroll 1
    for (int32_t last = count; last > 0 && left > 0; last -= kChooserThreads) {
      const int32_t k = last - 1 - thread;
      const int32_t length = k >= 0 && !IsTaken(k) ? Length(k) : 0;
      int32_t total = 0;
      const int32_t before = SumBefore(length, &total);
      if (length > 0 && before + length <= left) t.votes[k] = -t.votes[k];
      left -= total;
    }
    Of::Sync();
  }

  // Writes the rows of what was picked, in text order; returns how many far rows there are.
  __device__ int32_t WriteRows() {
    const int32_t each = CeilDiv(count, kChooserThreads) | 1;
    const int32_t first = min(count, thread * each);
    const int32_t last = min(count, first + each);
    int32_t mine = 0;
#pragma unroll 1
    for (int32_t k = first; k < last; ++k) mine += IsTaken(k) ? Length(k) : 0;
    int32_t total = 0;
    int32_t at = a.sinks + SumBefore(mine, &total);
    if (thread == 0) s.total = total;
    Of::Sync();
    int32_t far = a.sinks;
    for (int32_t block = 0; block < kBlocks; ++block) {
      const int32_t tokens = *Of::In(block, &s.total);
      if (block < Of::Rank()) at += tokens;
      far += tokens;
    }
#pragma unroll 1
    for (int32_t k = first; k < last; ++k) {
      if (!IsTaken(k)) continue;
#pragma unroll 1
      for (int32_t token = t.borders[k]; token < t.borders[k + 1]; ++token) a.rows[at++] = token;
    }
#pragma unroll 1
    for (int32_t i = Of::Rank() * kChooserThreads + thread; i < a.sinks; i += kBlocks * kChooserThreads) a.rows[i] = i;
    return far;
  }
};

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_CHOOSER_CUH_
