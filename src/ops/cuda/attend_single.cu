// One query a sequence: the keys of each KV head are split over blocks of threads (attend_tile.cuh), and the last block
// of a head merges the parts.
#include <algorithm>

#include "ops/cuda/attend.h"
#include "ops/cuda/attend_tile.cuh"
#include "ops/cuda/launch.cuh"
#include "ops/cuda/merge_parts.cuh"

namespace ltri::cuda {
namespace {

using single::kKeys;
using single::kThreads;
using single::kWarps;

// Into how many parts the keys of a head are split. Several sequences of different lengths: some blocks more than fit
// at once, so that no processor waits long for the last; rather few too few than some that come by themselves.
int Splits(const HeadShape& shape, int64_t count) {
  constexpr int64_t kRounds = 2;
  const int each = shape.head_dim <= 128 ? single::kBlocksPerProcessor<128> : single::kBlocksPerProcessor<256>;
  const int64_t blocks = int64_t{each} * Processors();
  if (count == 1) return static_cast<int>(std::max<int64_t>(1, blocks / shape.kv_heads));
  return static_cast<int>(std::max<int64_t>(1, kRounds * blocks / (shape.kv_heads * count)));
}

Scratch LayOutScratch(void* memory, const HeadShape& shape, int64_t count) {
  Scratch s{};
  const int64_t parts = count * Splits(shape, count) * shape.heads;
  s.outs = static_cast<float*>(memory);
  s.parts = reinterpret_cast<Part*>(s.outs + parts * shape.head_dim);
  s.counters = reinterpret_cast<uint32_t*>(s.parts + parts);
  return s;
}

// Merges the warps' parts in shared memory: outs [warps, heads, kDim], parts [warps, heads]. Result: one part a head.
template <int kDim, int kHeadTiles, int kStages>
__device__ void MergeWarps(const single::Block<kDim, kHeadTiles, kStages>& b,
                           const single::Running<kDim, kHeadTiles>& run, char* shared, Part* to_parts, float* to_outs) {
  constexpr int kHeads = 8 * kHeadTiles;
  auto* outs = reinterpret_cast<float*>(shared);
  auto* parts = reinterpret_cast<Part*>(outs + kWarps * kHeads * kDim);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
#pragma unroll
  for (int h = 0; h < kHeadTiles; ++h) {
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      const int head = h * 8 + lane % 4 * 2 + c;
      float sum = run.sum[h][c];
#pragma unroll
      for (int other = 4; other < kWarp; other *= 2) sum += __shfl_xor_sync(~0U, sum, other);
      if (head >= b.heads) continue;
      if (lane < 4) parts[warp * kHeads + head] = {run.highest[h][c], sum};
      float* to = outs + (warp * kHeads + head) * kDim + lane / 4;
#pragma unroll
      for (int n = 0; n < kDim / 16; ++n) {
        to[n * 16] = run.out[h][n][c];
        to[n * 16 + 8] = run.out[h][n][c + 2];
      }
    }
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < b.heads * kDim; i += kThreads) {
    const int head = i / kDim;
    float highest = -INFINITY;
    for (int w = 0; w < kWarps; ++w) highest = fmaxf(highest, parts[w * kHeads + head].highest);
    float sum = 0;
    float out = 0;
    for (int w = 0; w < kWarps; ++w) {
      const Part part = parts[w * kHeads + head];
      const float weight = part.highest == -INFINITY ? 0.0F : Exp2(part.highest - highest);
      sum += weight * part.sum;
      out += weight * outs[(w * kHeads + head) * kDim + i % kDim];
    }
    to_outs[i] = out;
    if (i % kDim == 0) to_parts[head] = {highest, sum};
  }
}

template <int kDim, int kHeadTiles, int kStages>
__global__ void __launch_bounds__(kThreads, single::kBlocksPerProcessor<kDim>)
    SingleKernel(AttendSingleArgs args, Scratch scratch) {
  extern __shared__ __align__(128) char shared[];
  LetNextStart();
  char* queries = shared + 2 * kStages * single::kTileBytes<kDim>;
  char* turns = queries + 4 * single::kQueryBytes<kDim, kHeadTiles>;
  single::FillTurns<kDim>(args.rope, turns);
  if (!args.settled) WaitForInputs();
  const HeadShape& shape = args.shape;
  const auto splits = static_cast<int>(gridDim.x);
  const auto split = static_cast<int>(blockIdx.x);
  const int64_t row = blockIdx.z;
  const SequenceRef& sequence = args.sequences[row];
  const auto kv_head = static_cast<int>(blockIdx.y);
  const int heads = shape.heads / shape.kv_heads;
  const int64_t width = static_cast<int64_t>(shape.heads + 2 * shape.kv_heads) * kDim;
  const ViewKeys view(sequence, args.layer);
  const int tiles = CeilDiv(view.count(), kKeys);
  const single::Block<kDim, kHeadTiles, kStages> b{args,
                                                   sequence,
                                                   view,
                                                   LayerStore(sequence, shape, args.layer),
                                                   kv_head,
                                                   heads,
                                                   kv_head * heads,
                                                   view.count(),
                                                   static_cast<int>(static_cast<int64_t>(tiles) * split / splits),
                                                   static_cast<int>(static_cast<int64_t>(tiles) * (split + 1) / splits),
                                                   args.projections + row * width + kv_head * heads * kDim,
                                                   SharedAddress(shared),
                                                   shared,
                                                   queries,
                                                   turns};
  single::Places<kDim> places;
#pragma unroll 1
  for (int tile = b.begin; tile < b.begin + kStages - 1; ++tile) {
    Find(b, tile, places);
    Fetch(b, tile, places);
  }
  Find(b, b.begin + kStages - 1, places);
  single::QueryTurn<kDim> turn{};
  FindTurn(b, b.begin, turn);
  if (args.settled) WaitForInputs();
  const bool has_own = split == splits - 1;
  if (has_own) AppendOwn(b);
  single::Running<kDim, kHeadTiles> run;
  const float scale = shape.scale * 1.44269504F;
#pragma unroll 1
  for (int tile = b.begin; tile < b.end; ++tile) {
    TurnQueries(b, tile, turn);
    WaitForCopies<kStages - 2>();
    __syncthreads();
    if (has_own && tile + 1 == b.end) PutOwn(b);
    Fetch(b, tile + kStages - 1, places);
    Find(b, tile + kStages, places);
    FindTurn(b, tile + 1, turn);
    AddTile(b, tile, scale, run);
  }
  WaitForCopies<0>();
  __syncthreads();
  const int64_t first_part = row * splits * shape.heads;
  const int64_t mine = first_part + static_cast<int64_t>(split) * shape.heads + b.first_head;
  MergeWarps(b, run, shared, scratch.parts + mine, scratch.outs + mine * kDim);
  if (!IsLast(scratch.counters + row * shape.kv_heads + kv_head, gridDim.x)) return;
  MergeBlocks<kDim>(args, scratch, reinterpret_cast<Part*>(shared), first_part, splits, row, b.first_head, heads);
}

template <int kDim, int kHeadTiles, int kStages>
void Start(Stream stream, const AttendSingleArgs& args) {
  LaunchShape shape;
  shape.grid = dim3(static_cast<unsigned>(Splits(args.shape, args.count)), static_cast<unsigned>(args.shape.kv_heads),
                    static_cast<unsigned>(args.count));
  shape.threads = kThreads;
  shape.shared_bytes = single::kSharedBytes<kDim, kHeadTiles, kStages>;
  shape.overlaps = true;
  Launch(stream, "attending", shape, SingleKernel<kDim, kHeadTiles, kStages>, args,
         LayOutScratch(args.scratch, args.shape, args.count));
}

template <int kDim>
void StartFor(Stream stream, const AttendSingleArgs& args) {
  const bool few_heads = args.shape.heads / args.shape.kv_heads <= 8;
  if constexpr (kDim > 128) {
    return few_heads ? Start<kDim, 1, single::kShortStages>(stream, args)
                     : Start<kDim, 2, single::kShortStages>(stream, args);
  } else {
    if (args.settled && args.few_keys && few_heads) return Start<kDim, 1, single::kShortStages>(stream, args);
    return few_heads ? Start<kDim, 1, single::kLongStages>(stream, args)
                     : Start<kDim, 2, single::kLongStages>(stream, args);
  }
}

}  // namespace

int64_t SingleScratchBytes(const HeadShape& shape, int64_t count) {
  const int64_t parts = count * Splits(shape, count) * shape.heads;
  return parts * (shape.head_dim * 4 + static_cast<int64_t>(sizeof(Part))) + count * shape.kv_heads * 4;
}

void AttendSingle(Stream stream, const AttendSingleArgs& args) {
  switch (args.shape.head_dim) {
    case 256:
      return StartFor<256>(stream, args);
    case 128:
      return StartFor<128>(stream, args);
    default:
      return StartFor<64>(stream, args);
  }
}

}  // namespace ltri::cuda
