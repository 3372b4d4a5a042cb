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

// How a warp takes rows. It is through with a unit of kRows rows when it has their sums; kAtOnce of them come in one
// stage and share what is read of the vector.
template <bool kIsGate, int kUnitRows, int kStageRows>
struct Rows {
  static constexpr bool kGate = kIsGate;
  static constexpr int kRows = kUnitRows;
  static constexpr int kAtOnce = kStageRows;
};

// How a row is cut: into `count` pieces of `chunks` times 16 bytes.
struct Pieces {
  int count;
  int chunks;
};

Pieces Cut(int chunks, int at_once) {
  Pieces pieces{1, chunks};
  // The fewest that fit a stage and divide the row; 32 chunks are one for each lane.
  while (pieces.chunks * 16 > kMostPiece / at_once || chunks % pieces.count != 0) {
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

template <Packing kPacking, typename Of>
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
    walk.row += Of::kAtOnce;
    if (walk.row < Of::kRows) return;
    walk.row = 0;
    walk.unit += stride;
  }

  // Lane 0 starts the copy of a piece.
  __device__ void Fetch(const Walk& walk, int stage) const {
    if (walk.unit >= units || threadIdx.x % kWarp != 0) return;
    const int scale_bytes = ScaleBytes<kPacking>(pieces.chunks, a.w.group);
    const uint32_t barrier = barriers + stage * 8;
    const uint64_t policy = ReadOnce();
    ExpectBytes(barrier, static_cast<uint32_t>(Of::kAtOnce * (pieces.chunks * 16 + scale_bytes)));
#pragma unroll
    for (int row = 0; row < Of::kAtOnce; ++row) {
      const int64_t chunk = (walk.unit + (walk.row + row) * units) * pieces.count * pieces.chunks +
                            static_cast<int64_t>(walk.piece) * pieces.chunks;
      const uint32_t to = stages + stage * kStageBytes<kPacking> + row * (kMostPiece / Of::kAtOnce);
      BulkCopy(to, static_cast<const char*>(a.w.values) + chunk * 16, static_cast<uint32_t>(pieces.chunks * 16),
               barrier, policy);
      if (scale_bytes == 0) continue;
      const int64_t offset = kPacking == Packing::kInt4 ? chunk * 4 : chunk * 16 / a.w.group * 2;
      BulkCopy(stages + stage * kStageBytes<kPacking> + kMostPiece + row * (kMostScales / Of::kAtOnce),
               static_cast<const char*>(a.w.scales) + offset, static_cast<uint32_t>(scale_bytes), barrier, policy);
    }
  }

  // The lane's part of the products of a piece.
  __device__ void Multiply(const SharedVector& v, int piece, int stage, float (&sums)[Of::kAtOnce]) const {
    const char* values = memory + stage * kStageBytes<kPacking>;
    const char* scales = values + kMostPiece;
#pragma unroll 4
    for (int i = static_cast<int>(threadIdx.x) % kWarp; i < pieces.chunks; i += kWarp) {
#pragma unroll
      for (int row = 0; row < Of::kAtOnce; ++row) {
        const char* of_row = scales + row * (kMostScales / Of::kAtOnce);
        Chunk w{};
        w.values = reinterpret_cast<const uint4*>(values + row * (kMostPiece / Of::kAtOnce))[i];
        if constexpr (kPacking == Packing::kInt4) w.scale = reinterpret_cast<const uint32_t*>(of_row)[i];
        if constexpr (kPacking == Packing::kInt8) {
          w.scale = reinterpret_cast<const uint16_t*>(of_row)[i * 16 / static_cast<int>(a.w.group)];
        }
        sums[row] += Dot<kPacking>(w, v, piece * pieces.chunks + i, a.w.cols);
      }
    }
  }
};

template <Packing kPacking, typename Of>
__global__ void __launch_bounds__(kThreads, 2) BulkKernel(MatVec a, Pieces pieces) {
  extern __shared__ __align__(128) char shared[];
  __shared__ uint64_t barriers[kWarps * kStages];
  LetNextStart();
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  char* memory = shared + warp * kStages * kStageBytes<kPacking>;
  // Neighbouring rows go to different blocks, so that all processors end together.
  const Ring<kPacking, Of> ring{a,
                                pieces,
                                a.w.rows / Of::kRows,
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
  const SharedVector v = LayOut<kPacking>(shared + kRingBytes<kPacking>, a.w.cols);
  const int eights = static_cast<int>(a.w.cols) / 8;
  if (eights <= kThreads) {
    Eight norm{};
    if (a.norm != nullptr) norm = ReadEight(a.norm, Within(static_cast<int>(threadIdx.x), eights));
    WaitForInputs();
    StoreShortVector<kPacking>(a, norm, v);
  } else {
    WaitForInputs();
    StoreVector<kPacking>(a, a.norm == nullptr ? 1.0F : InverseRms(a), v);
  }
  __syncthreads();
  int stage = 0;
  uint32_t phase = 0;
  while (now.unit < ring.units) {
    const int64_t unit = now.unit;
    float sums[2] = {0, 0};
    float before[2] = {0, 0};
    if (!Of::kGate && lane == 0) {
#pragma unroll
      for (int row = 0; row < Of::kRows; ++row) before[row] = Before(a, unit + row * ring.units);
    }
    while (now.unit == unit) {
      WaitPhase(ring.barriers + stage * 8, phase);
      float parts[Of::kAtOnce] = {};
      ring.Multiply(v, now.piece, stage, parts);
      if constexpr (Of::kAtOnce == 2) {
        sums[0] += parts[0];
        sums[1] += parts[1];
      } else {
        sums[0] += now.row == 0 ? parts[0] : 0;
        sums[1] += now.row == 0 ? 0 : parts[0];
      }
      __syncwarp();
      ring.Fetch(ahead, stage);
      ring.Advance(ahead);
      ring.Advance(now);
      stage = stage + 1 == kStages ? 0 : stage + 1;
      if (stage == 0) phase ^= 1;
    }
    sums[0] = WarpSum(sums[0]);
    if constexpr (Of::kRows == 2) sums[1] = WarpSum(sums[1]);
    if (lane > 0) continue;
    PutResult(a, unit, before[0], sums[0], sums[1]);
    if constexpr (!Of::kGate && Of::kRows == 2) PutResult(a, unit + ring.units, before[1], sums[1], 0);
  }
}

template <Packing kPacking, typename Of>
void Start(Stream stream, const MatVec& args) {
  const int64_t units = args.w.rows / Of::kRows;
  LaunchShape shape;
  shape.grid.x = static_cast<unsigned>(std::min<int64_t>(Processors(), CeilDiv<int64_t>(units, kWarps)));
  shape.threads = kThreads;
  shape.shared_bytes = kRingBytes<kPacking> + SharedVectorBytes<kPacking>(args.w.cols);
  shape.overlaps = true;
  Launch(stream, "multiplying a vector", shape, BulkKernel<kPacking, Of>, args,
         Cut(static_cast<int>(args.w.cols / kChunk<kPacking>), Of::kAtOnce));
}

// Rows so short that a stage has room for two would leave half of it empty.
template <Packing kPacking>
bool TakesPairs(const MatVec& args) {
  return args.result != MatVecResult::kGate && args.w.rows % 2 == 0 &&
         args.w.cols / kChunk<kPacking> * 16 <= kMostPiece / 2;
}

template <Packing kPacking>
int RowsAtOnce(const MatVec& args) {
  if (!kRounded<kPacking>) return 1;
  return args.result == MatVecResult::kGate || TakesPairs<kPacking>(args) ? 2 : 1;
}

template <Packing kPacking>
void StartFor(Stream stream, const MatVec& args) {
  const bool gate = args.result == MatVecResult::kGate;
  if constexpr (kRounded<kPacking>) {
    if (gate) return Start<kPacking, Rows<true, 2, 2>>(stream, args);
    if (TakesPairs<kPacking>(args)) return Start<kPacking, Rows<false, 2, 2>>(stream, args);
  } else if (gate) {
    return Start<kPacking, Rows<true, 2, 1>>(stream, args);
  }
  return Start<kPacking, Rows<false, 1, 1>>(stream, args);
}

// Scales are copied 16 bytes at a time, which short or odd rows do not allow.
template <Packing kPacking>
bool FitsBulk(const MatVec& args) {
  const int at_once = RowsAtOnce<kPacking>(args);
  const Pieces pieces = Cut(static_cast<int>(args.w.cols / kChunk<kPacking>), at_once);
  const int scales = ScaleBytes<kPacking>(pieces.chunks, args.w.group);
  return args.w.cols % (kChunk<kPacking> * pieces.count) == 0 && scales % 16 == 0 && scales <= kMostScales / at_once &&
         pieces.count <= 64;
}

template <Packing kPacking>
void StartIfFits(Stream stream, const MatVec& args) {
  FitsBulk<kPacking>(args) ? StartFor<kPacking>(stream, args) : MultiplyVectorFromRegisters(stream, args);
}

}  // namespace

void MultiplyVectorInBulk(Stream stream, const MatVec& args) {
  switch (args.w.packing) {
    case Packing::kHalf:
      return StartIfFits<Packing::kHalf>(stream, args);
    case Packing::kBfloat:
      return StartIfFits<Packing::kBfloat>(stream, args);
    case Packing::kInt4:
      return StartIfFits<Packing::kInt4>(stream, args);
    case Packing::kInt8:
      return StartIfFits<Packing::kInt8>(stream, args);
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
