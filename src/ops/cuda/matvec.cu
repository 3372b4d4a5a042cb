// A vector by weights that wait in registers: for every card.
#include <algorithm>

#include "ops/cuda/matvec.cuh"

namespace ltri::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kWarps = kThreads / kWarp;
constexpr int kBlocksPerProcessor = 2;

// Weights are read once: they shall not push other things out of the first cache.
__device__ uint4 ReadOnce(const uint4* from) {
  uint4 to;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(to.x), "=r"(to.y), "=r"(to.z), "=r"(to.w)
               : "l"(from));
  return to;
}

template <Packing kPacking>
__device__ Chunk LoadChunk(const DeviceMatrix& w, int64_t row, int chunk) {
  const int64_t at = row * (w.cols / kChunk<kPacking>)+chunk;
  Chunk loaded{};
  loaded.values = ReadOnce(static_cast<const uint4*>(w.values) + at);
  if constexpr (kPacking == Packing::kInt4) loaded.scale = __ldg(static_cast<const uint32_t*>(w.scales) + at);
  if constexpr (kPacking == Packing::kInt8) {
    loaded.scale = __ldg(static_cast<const uint16_t*>(w.scales) + at * kChunk<kPacking> / w.group);
  }
  return loaded;
}

// A warp takes a row at a time (for kGate: a row of gates and that of ups) and always has kFlight chunks of each under
// way. Neighbouring rows go to different blocks, so that all processors end together.
template <Packing kPacking, bool kGate>
__global__ void __launch_bounds__(kThreads, kBlocksPerProcessor) MatVecKernel(MatVec a) {
  extern __shared__ uint4 shared[];
  constexpr int kRows = kGate ? 2 : 1;
  constexpr int kFlight = kGate ? 3 : 6;
  LetNextStart();
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int chunks = static_cast<int>(a.w.cols) / kChunk<kPacking>;
  const int64_t units = a.w.rows / kRows;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kWarps;
  int64_t unit = blockIdx.x + static_cast<int64_t>(gridDim.x) * (threadIdx.x / kWarp);
  Chunk w[kRows][kFlight];
  const auto load = [&](int64_t from, int base, int slot) {
    const int chunk = base + slot * kWarp + lane;
    if (from >= units || chunk >= chunks) return;
#pragma unroll
    for (int r = 0; r < kRows; ++r) w[r][slot] = LoadChunk<kPacking>(a.w, from + r * units, chunk);
  };
#pragma unroll
  for (int slot = 0; slot < kFlight; ++slot) load(unit, 0, slot);
  WaitForInputs();
  const SharedVector v = LayOut<kPacking>(shared, a.w.cols);
  StoreVector<kPacking>(a, a.norm == nullptr ? 1.0F : InverseRms(a), v);
  __syncthreads();
  for (; unit < units; unit += stride) {
    float sums[2] = {0, 0};
    const float before = kGate || lane > 0 ? 0.0F : Before(a, unit);
    for (int base = 0; base < chunks; base += kFlight * kWarp) {
      const bool last = base + kFlight * kWarp >= chunks;
      const int64_t next = last ? unit + stride : unit;
      const int next_base = last ? 0 : base + kFlight * kWarp;
#pragma unroll
      for (int slot = 0; slot < kFlight; ++slot) {
        const int chunk = base + slot * kWarp + lane;
        if (chunk < chunks) {
#pragma unroll
          for (int r = 0; r < kRows; ++r) sums[r] += Dot<kPacking>(w[r][slot], v, chunk, a.w.cols);
        }
        load(next, next_base, slot);
      }
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
  shape.grid.x =
      static_cast<unsigned>(std::min<int64_t>(kBlocksPerProcessor * Processors(), CeilDiv<int64_t>(units, kWarps)));
  shape.threads = kThreads;
  shape.shared_bytes = SharedVectorBytes<kPacking>(args.w.cols);
  shape.overlaps = true;
  Launch(stream, "multiplying a vector", shape, gate ? MatVecKernel<kPacking, true> : MatVecKernel<kPacking, false>,
         args);
}

}  // namespace

void MultiplyVectorFromRegisters(Stream stream, const MatVec& args) {
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

void MultiplyVector(Stream stream, const MatVec& args) {
  return HasBulkCopies() ? MultiplyVectorInBulk(stream, args) : MultiplyVectorFromRegisters(stream, args);
}

}  // namespace ltri::cuda
