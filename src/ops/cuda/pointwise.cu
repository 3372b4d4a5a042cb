#include "ops/cuda/launch.cuh"
#include "ops/cuda/packed.cuh"
#include "ops/cuda/pointwise.h"

namespace ltri::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kRowThreads = 1024;  // where there are few rows

__global__ void EmbedKernel(DeviceMatrix embedding, const int32_t* tokens, float scale, float* x) {
  WaitForInputs();
  LetNextStart();
  const int64_t row = blockIdx.x;
  const int64_t i = blockIdx.y * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i < embedding.cols) x[row * embedding.cols + i] = ValueAt(embedding, tokens[row], i) * scale;
}

__device__ float InverseRms(const float* x, int64_t width, float epsilon) {
  __shared__ float scratch[kWarp];
  float sum = 0;
  for (int64_t i = threadIdx.x; i < width; i += blockDim.x) sum += x[i] * x[i];
  return rsqrtf(BlockSum(sum, scratch) / static_cast<float>(width) + epsilon);
}

template <typename T>
__global__ void RmsNormKernel(const float* x, const float* weight, int64_t width, float epsilon, T* y) {
  x += blockIdx.x * width;
  const float inverse = InverseRms(x, width, epsilon);
  for (int64_t i = threadIdx.x; i < width; i += blockDim.x) {
    y[blockIdx.x * width + i] = Numbers<T>::From(x[i] * inverse * weight[i]);
  }
}

__global__ void AddNormedKernel(const float* y, const float* weight, int64_t width, float epsilon, float* x) {
  y += blockIdx.x * width;
  const float inverse = weight == nullptr ? 1.0F : InverseRms(y, width, epsilon);
  for (int64_t i = threadIdx.x; i < width; i += blockDim.x) {
    x[blockIdx.x * width + i] += y[i] * (weight == nullptr ? 1.0F : inverse * weight[i]);
  }
}

// Eight numbers a thread.
template <typename T>
__global__ void GatedKernel(Activation activation, const T* gate_up, int64_t rows, int64_t width, T* y) {
  const int64_t at = (blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x) * 8;
  if (at >= rows * width) return;
  const T* gate = gate_up + at / width * 2 * width + at % width;
  T gates[8];
  T ups[8];
  *reinterpret_cast<uint4*>(gates) = *reinterpret_cast<const uint4*>(gate);
  *reinterpret_cast<uint4*>(ups) = *reinterpret_cast<const uint4*>(gate + width);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    gates[i] = Numbers<T>::From(Activate(activation, Numbers<T>::Float(gates[i])) * Numbers<T>::Float(ups[i]));
  }
  *reinterpret_cast<uint4*>(y + at) = *reinterpret_cast<const uint4*>(gates);
}

template <typename T>
__global__ void RoundKernel(const float* x, int64_t count, T* y) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i < count) y[i] = Numbers<T>::From(x[i]);
}

__global__ void AddBiasKernel(const float* bias, int64_t count, int64_t width, float* y) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i < count) y[i] += bias[i % width];
}

__global__ void SoftCapKernel(float cap, int64_t count, float* logits) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i < count) logits[i] = cap * tanhf(logits[i] / cap);
}

// Order-preserving bits of a number; what is no number comes last.
__device__ uint32_t Rank(float x) {
  if (isnan(x)) return 0;
  const uint32_t bits = __float_as_uint(x);
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000U;
}

// The best of each block of threads meets the others in scratch[0]; the last block, counted in scratch[1], takes it.
__global__ void ArgMaxKernel(const float* numbers, int64_t count, unsigned long long* scratch, int32_t* index) {
  WaitForInputs();
  LetNextStart();
  __shared__ unsigned long long of_warp[kWarp];
  const auto larger = [](unsigned long long a, unsigned long long b) { return a > b ? a : b; };
  const auto over_warp = [&](unsigned long long x) {
    for (int lane = kWarp / 2; lane > 0; lane /= 2) x = larger(x, __shfl_xor_sync(~0U, x, lane));
    return x;
  };
  unsigned long long mine = 0;
#pragma unroll 4
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < count;
       i += gridDim.x * static_cast<int64_t>(blockDim.x)) {
    const unsigned long long candidate =
        static_cast<unsigned long long>(Rank(numbers[i])) << 32 | (0xFFFFFFFFU - static_cast<uint32_t>(i));
    mine = larger(mine, candidate);
  }
  mine = over_warp(mine);
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = mine;
  __syncthreads();
  if (threadIdx.x >= kWarp) return;
  mine = over_warp(threadIdx.x < blockDim.x / kWarp ? of_warp[threadIdx.x] : 0);
  if (threadIdx.x > 0) return;
  atomicMax(scratch, mine);
  __threadfence();
  if (atomicAdd(scratch + 1, 1ULL) + 1 < gridDim.x) return;
  *index = static_cast<int32_t>(0xFFFFFFFFU - static_cast<uint32_t>(atomicExch(scratch, 0ULL)));
  scratch[1] = 0;
}

// turned: pairs that turn, of `pairs`.
__global__ void RopeTableKernel(const double* frequency, float magnitude, int64_t turned, int64_t pairs, int64_t first,
                                int64_t count, float* table) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i >= count * pairs) return;
  const int64_t position = first + i / pairs;
  double sine = 0;
  double cosine = 1;
  if (i % pairs < turned) {
    sincos(static_cast<double>(position) * frequency[i % pairs], &sine, &cosine);
  } else {
    magnitude = 1.0F;
  }
  float* row = table + position * 2 * pairs;
  row[i % pairs] = static_cast<float>(cosine) * magnitude;
  row[pairs + i % pairs] = static_cast<float>(sine) * magnitude;
}

__device__ uint32_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<uint32_t>(x >> 32);
}

// Sums of four even numbers are near enough to a bell curve.
template <typename T>
__global__ void RandomKernel(uint64_t seed, float deviation, int64_t count, T* to) {
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < count;
       i += gridDim.x * static_cast<int64_t>(blockDim.x)) {
    const uint32_t a = Mix(seed + static_cast<uint64_t>(i) * 2);
    const uint32_t b = Mix(seed + static_cast<uint64_t>(i) * 2 + 1);
    const auto sum = static_cast<float>((a & 0xFFFF) + (a >> 16) + (b & 0xFFFF) + (b >> 16));
    to[i] = Numbers<T>::From((sum / 65535.0F - 2.0F) * 1.7320508F * deviation);
  }
}

template <typename T>
__global__ void UnpackKernel(DeviceMatrix matrix, T* to) {
  const int64_t count = matrix.rows * matrix.cols;
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < count;
       i += gridDim.x * static_cast<int64_t>(blockDim.x)) {
    to[i] = Numbers<T>::From(ValueAt(matrix, i / matrix.cols, i % matrix.cols));
  }
}

dim3 BlocksFor(int64_t count) { return dim3(static_cast<unsigned>(CeilDiv<int64_t>(count, kThreads))); }
dim3 StridingBlocks() { return dim3(static_cast<unsigned>(8 * Processors())); }

}  // namespace

void Embed(Stream stream, const DeviceMatrix& embedding, const int32_t* tokens, int64_t rows, float scale, float* x) {
  const auto parts = static_cast<unsigned>(CeilDiv<int64_t>(embedding.cols, kThreads));
  Launch(stream, "embedding tokens", {dim3(static_cast<unsigned>(rows), parts), kThreads, 0, true}, EmbedKernel,
         embedding, tokens, scale, x);
}

void RmsNorm(Stream stream, const float* x, const float* weight, int64_t rows, int64_t width, float epsilon,
             Float16 type, void* y) {
  const LaunchShape shape{dim3(static_cast<unsigned>(rows)), rows < Processors() ? kRowThreads : kThreads};
  if (type == Float16::kHalf) {
    Launch(stream, "normalising", shape, RmsNormKernel<__half>, x, weight, width, epsilon, static_cast<__half*>(y));
  } else {
    Launch(stream, "normalising", shape, RmsNormKernel<__nv_bfloat16>, x, weight, width, epsilon,
           static_cast<__nv_bfloat16*>(y));
  }
}

void GatedActivation(Stream stream, Activation activation, const void* gate_up, int64_t rows, int64_t width,
                     Float16 type, void* y) {
  const LaunchShape shape{BlocksFor(CeilDiv<int64_t>(rows * width, 8)), kThreads};
  if (type == Float16::kHalf) {
    Launch(stream, "activating", shape, GatedKernel<__half>, activation, static_cast<const __half*>(gate_up), rows,
           width, static_cast<__half*>(y));
  } else {
    Launch(stream, "activating", shape, GatedKernel<__nv_bfloat16>, activation,
           static_cast<const __nv_bfloat16*>(gate_up), rows, width, static_cast<__nv_bfloat16*>(y));
  }
}

void Round(Stream stream, const float* x, int64_t count, Float16 type, void* y) {
  const LaunchShape shape{BlocksFor(count), kThreads};
  if (type == Float16::kHalf) {
    Launch(stream, "rounding", shape, RoundKernel<__half>, x, count, static_cast<__half*>(y));
  } else {
    Launch(stream, "rounding", shape, RoundKernel<__nv_bfloat16>, x, count, static_cast<__nv_bfloat16*>(y));
  }
}

void AddBias(Stream stream, const float* bias, int64_t rows, int64_t width, float* y) {
  Launch(stream, "adding a bias", {BlocksFor(rows * width), kThreads}, AddBiasKernel, bias, rows * width, width, y);
}

void AddNormed(Stream stream, const float* y, const float* weight, int64_t rows, int64_t width, float epsilon,
               float* x) {
  Launch(stream, "adding a layer", {dim3(static_cast<unsigned>(rows)), kThreads}, AddNormedKernel, y, weight, width,
         epsilon, x);
}

void SoftCap(Stream stream, float cap, int64_t count, float* logits) {
  Launch(stream, "capping logits", {BlocksFor(count), kThreads}, SoftCapKernel, cap, count, logits);
}

void ArgMax(Stream stream, const float* numbers, int64_t count, uint64_t* scratch, int32_t* best) {
  Launch(stream, "choosing a token", {dim3(static_cast<unsigned>(Processors())), kRowThreads, 0, true}, ArgMaxKernel,
         numbers, count, reinterpret_cast<unsigned long long*>(scratch), best);
}

void FillRopeTable(Stream stream, const double* frequency, float magnitude, int64_t dims, int64_t head_dim,
                   int64_t first, int64_t count, float* table) {
  Launch(stream, "turning positions", {BlocksFor(count * head_dim / 2), kThreads}, RopeTableKernel, frequency,
         magnitude, dims / 2, head_dim / 2, first, count, table);
}

void FillRandom(Stream stream, uint64_t seed, float deviation, int64_t count, Float16 type, void* to) {
  const LaunchShape shape{StridingBlocks(), kThreads};
  if (type == Float16::kHalf) {
    Launch(stream, "drawing numbers", shape, RandomKernel<__half>, seed, deviation, count, static_cast<__half*>(to));
  } else {
    Launch(stream, "drawing numbers", shape, RandomKernel<__nv_bfloat16>, seed, deviation, count,
           static_cast<__nv_bfloat16*>(to));
  }
}

void Unpack(Stream stream, const DeviceMatrix& matrix, void* to) {
  const LaunchShape shape{StridingBlocks(), kThreads};
  if (matrix.packing == Packing::kBfloat) {
    Launch(stream, "unpacking weights", shape, UnpackKernel<__nv_bfloat16>, matrix, static_cast<__nv_bfloat16*>(to));
  } else {
    Launch(stream, "unpacking weights", shape, UnpackKernel<__half>, matrix, static_cast<__half*>(to));
  }
}

}  // namespace ltri::cuda
