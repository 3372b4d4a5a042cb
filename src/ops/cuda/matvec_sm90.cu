// A vector by weights that bulk copies bring into shared memory (Hopper).
//
// Each warp has a ring of stages of its own and fetches pieces of rows ahead, without registers and without waiting for
// the kernel before: while that one ends, the first pieces of the next come already.
#include <algorithm>

#include "ops/cuda/matvec.cuh"
#include "ops/cuda/mma.cuh"
#include "ops/cuda/wgmma.cuh"

namespace ltri::cuda {
namespace {

constexpr int kWarps = 16;
constexpr int kThreads = kWarps * kWarp;
constexpr int kStages = 2;        // so that two kernels that follow each other fit a processor together
constexpr int kMostPiece = 4096;  // bytes of weights
constexpr int kMostScales = 1024;

template <Packing kPacking>
constexpr int kStageBytes = kMostPiece + (kRounded<kPacking> ? kMostScales : 0);
template <Packing kPacking>
constexpr int kRingBytes = kWarps* kStages* kStageBytes<kPacking>;

// How a row is cut: into `count` pieces of `chunks` times 16 bytes.
struct Pieces {
  int count;
  int chunks;
};

Pieces Cut(int chunks) {
  Pieces pieces{1, chunks};
  // The fewest that fit a stage and divide the row; 32 chunks are one for each lane.
  while (pieces.chunks * 16 > kMostPiece || chunks % pieces.count != 0) {
    ++pieces.count;
    pieces.chunks = chunks / pieces.count;
  }
  return pieces;
}

// Bytes of scales that belong to `chunks` chunks.
template <Packing kPacking>
__host__ __device__ int ScaleBytes(int chunks, int64_t group) {
  if (kPacking == Packing::kInt4) return chunks * 4;
  return kPacking == Packing::kInt8 ? static_cast<int>(chunks * 16 / group) * 2 : 0;
}

// A warp's way through its rows: piece after piece of the rows of a unit, unit after unit.
struct Walk {
  int64_t unit;
  int row;    // of the unit
  int piece;  // of the row
};

template <Packing kPacking, int kRows>
struct Ring {
  const MatVec& a;
  Pieces pieces;
  int64_t units;
  int64_t stride;
  uint32_t stages;    // this warp's
  uint32_t barriers;  // one a stage
  const char* memory;

  __device__ void Advance(Walk& walk) const {
    if (++walk.piece < pieces.count) return;
    walk.piece = 0;
    if (++walk.row < kRows) return;
    walk.row = 0;
    walk.unit += stride;
  }

  // Lane 0 starts the copy of a piece.
  __device__ void Fetch(const Walk& walk, int stage) const {
    if (walk.unit >= units || threadIdx.x % kWarp != 0) return;
    const int64_t chunk = (walk.unit + walk.row * units) * pieces.count * pieces.chunks +
                          static_cast<int64_t>(walk.piece) * pieces.chunks;
    const int scale_bytes = ScaleBytes<kPacking>(pieces.chunks, a.w.group);
    const uint32_t barrier = barriers + stage * 8;
    const uint64_t policy = ReadOnce();
    const uint32_t to = stages + stage * kStageBytes<kPacking>;
    ExpectBytes(barrier, static_cast<uint32_t>(pieces.chunks * 16 + scale_bytes));
    BulkCopy(to, static_cast<const char*>(a.w.values) + chunk * 16, static_cast<uint32_t>(pieces.chunks * 16), barrier,
             policy);
    if (scale_bytes == 0) return;
    const int64_t offset = kPacking == Packing::kInt4 ? chunk * 4 : chunk * 16 / a.w.group * 2;
    BulkCopy(to + kMostPiece, static_cast<const char*>(a.w.scales) + offset, static_cast<uint32_t>(scale_bytes),
             barrier, policy);
  }

  // The lane's part of the product of a piece.
  __device__ float Multiply(const SharedVector& v, int piece, int stage) const {
    const char* values = memory + stage * kStageBytes<kPacking>;
    const char* scales = values + kMostPiece;
    float sum = 0;
#pragma unroll 4
    for (int i = static_cast<int>(threadIdx.x) % kWarp; i < pieces.chunks; i += kWarp) {
      Chunk w{};
      w.values = reinterpret_cast<const uint4*>(values)[i];
      if constexpr (kPacking == Packing::kInt4) w.scale = reinterpret_cast<const uint32_t*>(scales)[i];
      if constexpr (kPacking == Packing::kInt8) {
        w.scale = reinterpret_cast<const uint16_t*>(scales)[i * 16 / static_cast<int>(a.w.group)];
      }
      sum += Dot<kPacking>(w, v, piece * pieces.chunks + i, a.w.cols);
    }
    return sum;
  }
};

template <Packing kPacking, bool kGate>
__global__ void __launch_bounds__(kThreads) BulkKernel(MatVec a, Pieces pieces) {
  extern __shared__ __align__(128) char shared[];
  __shared__ uint64_t barriers[kWarps * kStages];
  constexpr int kRows = kGate ? 2 : 1;
  LetNextStart();
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  char* memory = shared + warp * kStages * kStageBytes<kPacking>;
  // Neighbouring rows go to different blocks, so that all processors end together.
  const Ring<kPacking, kRows> ring{a,
                                   pieces,
                                   a.w.rows / kRows,
                                   static_cast<int64_t>(gridDim.x) * kWarps,
                                   SharedAddress(memory),
                                   SharedAddress(barriers + warp * kStages),
                                   memory};
  if (lane == 0) {
    for (int stage = 0; stage < kStages; ++stage) InitBarrier(ring.barriers + stage * 8, 1);
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncwarp();
  Walk now{blockIdx.x + static_cast<int64_t>(gridDim.x) * warp, 0, 0};
  Walk ahead = now;
  for (int stage = 0; stage < kStages; ++stage) {
    ring.Fetch(ahead, stage);
    ring.Advance(ahead);
  }
  WaitForInputs();
  const SharedVector v = LayOut<kPacking>(shared + kRingBytes<kPacking>, a.w.cols);
  StoreVector<kPacking>(a, a.norm == nullptr ? 1.0F : InverseRms(a), v);
  __syncthreads();
  int stage = 0;
  uint32_t phase = 0;
  while (now.unit < ring.units) {
    const int64_t unit = now.unit;
    float sums[2] = {0, 0};
    const float before = kGate || lane > 0 ? 0.0F : Before(a, unit);
    while (now.unit == unit) {
      WaitPhase(ring.barriers + stage * 8, phase);
      const float sum = ring.Multiply(v, now.piece, stage);
      sums[0] += now.row == 0 ? sum : 0;
      sums[1] += now.row == 0 ? 0 : sum;
      __syncwarp();
      ring.Fetch(ahead, stage);
      ring.Advance(ahead);
      ring.Advance(now);
      stage = stage + 1 == kStages ? 0 : stage + 1;
      if (stage == 0) phase ^= 1;
    }
    sums[0] = WarpSum(sums[0]);
    if constexpr (kGate) sums[1] = WarpSum(sums[1]);
    if (lane == 0) PutResult(a, unit, before, sums[0], sums[1]);
  }
}

template <Packing kPacking>
void Start(Stream stream, const MatVec& args) {
  const bool gate = args.result == MatVecResult::kGate;
  const int64_t units = gate ? args.w.rows / 2 : args.w.rows;
  LaunchShape shape;
  shape.grid.x = static_cast<unsigned>(std::min<int64_t>(Processors(), CeilDiv<int64_t>(units, kWarps)));
  shape.threads = kThreads;
  shape.shared_bytes = kRingBytes<kPacking> + SharedVectorBytes<kPacking>(args.w.cols);
  shape.overlaps = true;
  Launch(stream, "multiplying a vector", shape, gate ? BulkKernel<kPacking, true> : BulkKernel<kPacking, false>, args,
         Cut(static_cast<int>(args.w.cols / kChunk<kPacking>)));
}

// Scales are copied 16 bytes at a time, which short or odd rows do not allow.
bool FitsBulk(const MatVec& args) {
  const DeviceMatrix& w = args.w;
  const int per_chunk = w.packing == Packing::kInt4 ? 32 : (w.packing == Packing::kInt8 ? 16 : 8);
  const Pieces pieces = Cut(static_cast<int>(w.cols / per_chunk));
  const int scales = w.packing == Packing::kInt4   ? ScaleBytes<Packing::kInt4>(pieces.chunks, w.group)
                     : w.packing == Packing::kInt8 ? ScaleBytes<Packing::kInt8>(pieces.chunks, w.group)
                                                   : 0;
  return w.cols % (per_chunk * pieces.count) == 0 && scales % 16 == 0 && scales <= kMostScales && pieces.count <= 64;
}

}  // namespace

void MultiplyVectorInBulk(Stream stream, const MatVec& args) {
  if (!FitsBulk(args)) return MultiplyVectorFromRegisters(stream, args);
  switch (args.w.packing) {
    case Packing::kHalf:
      return Start<Packing::kHalf>(stream, args);
    case Packing::kBfloat:
      return Start<Packing::kBfloat>(stream, args);
    case Packing::kInt4:
      return Start<Packing::kInt4>(stream, args);
    case Packing::kInt8:
      return Start<Packing::kInt8>(stream, args);
  }
}

bool HasBulkCopies() {
  static const bool has = [] {
    int major = 0;
    Check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0), "asking what the card can do");
    return major == 9;
  }();
  return has;
}

}  // namespace ltri::cuda
