// What the kernels that multiply a vector have in common: the vector in shared memory, and its product with 16 bytes of
// weights.
#ifndef LTRI_OPS_CUDA_MATVEC_CUH_
#define LTRI_OPS_CUDA_MATVEC_CUH_

#include "ops/cuda/launch.cuh"
#include "ops/cuda/matvec.h"

namespace ltri::cuda {

// Values in 16 bytes of weights.
template <Packing kPacking>
constexpr int kChunk = kPacking == Packing::kInt4 ? 32 : (kPacking == Packing::kInt8 ? 16 : 8);

template <Packing kPacking>
constexpr bool kRounded = kPacking == Packing::kInt4 || kPacking == Packing::kInt8;

// 16 bytes of weights on their way, with their scale.
struct Chunk {
  uint4 values;
  uint32_t scale;  // a half, or two
};

// The vector in shared memory, in the order in which lanes read it without conflicts.
//   floats: [2][cols / 8] float4, the first and the second half of each 8 values
//   rounded: 16 bytes a half group (for 4-bit weights first all low halves, then all high ones), and for each 32 values
//   their scale and their sum
struct SharedVector {
  float4* floats;
  int8_t* bytes;
  float2* groups;
};

template <Packing kPacking>
__device__ SharedVector LayOut(void* shared, int64_t cols) {
  SharedVector v{};
  v.floats = static_cast<float4*>(shared);
  v.bytes = static_cast<int8_t*>(shared);
  v.groups = reinterpret_cast<float2*>(v.bytes + cols);
  return v;
}

struct Eight {
  float4 first;
  float4 second;
};

__device__ inline Eight ReadEight(const float* from, int index) {
  const auto* at = reinterpret_cast<const float4*>(from) + 2 * index;
  return {at[0], at[1]};
}

__device__ inline Eight Normalised(const Eight& x, float inverse, const Eight& w) {
  return {{x.first.x * inverse * w.first.x, x.first.y * inverse * w.first.y, x.first.z * inverse * w.first.z,
           x.first.w * inverse * w.first.w},
          {x.second.x * inverse * w.second.x, x.second.y * inverse * w.second.y, x.second.z * inverse * w.second.z,
           x.second.w * inverse * w.second.w}};
}

// Values 8 index .. 8 index + 7 of the vector, normalised.
__device__ inline Eight Value(const MatVec& a, int index, float inverse) {
  const Eight x = ReadEight(a.x, index);
  return a.norm == nullptr ? x : Normalised(x, inverse, ReadEight(a.norm, index));
}

__device__ inline float Largest(const float4& x) {
  return fmaxf(fmaxf(fabsf(x.x), fabsf(x.y)), fmaxf(fabsf(x.z), fabsf(x.w)));
}

// Four values as bytes; adds them to *sum.
__device__ inline uint32_t Round(const float4& x, float inverse, int* sum) {
  const int a = __float2int_rn(x.x * inverse);
  const int b = __float2int_rn(x.y * inverse);
  const int c = __float2int_rn(x.z * inverse);
  const int d = __float2int_rn(x.w * inverse);
  *sum += a + b + c + d;
  return (a & 0xFF) | (b & 0xFF) << 8 | (c & 0xFF) << 16 | static_cast<uint32_t>(d & 0xFF) << 24;
}

// Which eight values of the vector a thread has: those behind it the last ones, since groups of four share a scale.
__device__ inline int Within(int index, int eights) { return index < eights ? index : eights - 4 + index % 4; }

// Eight values a thread; four threads share a scale.
template <Packing kPacking>
__device__ void StoreRounded(const MatVec& a, int index, const Eight& x, const SharedVector& v) {
  const int groups = static_cast<int>(a.w.cols) / 32;
  float largest = fmaxf(Largest(x.first), Largest(x.second));
  largest = fmaxf(largest, __shfl_xor_sync(~0U, largest, 1));
  largest = fmaxf(largest, __shfl_xor_sync(~0U, largest, 2));
  const float by = largest > 0 ? 127.0F / largest : 0.0F;
  int sum = 0;
  const uint2 bytes{Round(x.first, by, &sum), Round(x.second, by, &sum)};
  sum += __shfl_xor_sync(~0U, sum, 1);
  sum += __shfl_xor_sync(~0U, sum, 2);
  const int group = index / 4;
  if (group >= groups) return;
  const int half = kPacking == Packing::kInt4 ? index % 4 / 2 * groups + group : group * 2 + index % 4 / 2;
  *reinterpret_cast<uint2*>(v.bytes + half * 16 + index % 2 * 8) = bytes;
  if (index % 4 == 0) v.groups[group] = {largest / 127.0F, largest / 127.0F * static_cast<float>(sum)};
}

template <Packing kPacking>
__device__ void StoreVector(const MatVec& a, float inverse, const SharedVector& v) {
  const int eights = static_cast<int>(a.w.cols) / 8;
  if constexpr (kRounded<kPacking>) {
    // All threads of a warp take part to the end; those behind the vector read its last values. Loads of some parts are
    // under way at once: one after the other, each would wait for the second-level cache by itself.
    constexpr int kFlight = 4;
    const auto threads = static_cast<int>(blockDim.x);
    const auto thread = static_cast<int>(threadIdx.x);
    for (int first = 0; first < eights; first += kFlight * threads) {
      Eight x[kFlight];
#pragma unroll
      for (int j = 0; j < kFlight; ++j) {
        const int index = first + j * threads + thread;
        if (index - thread % kWarp < eights) x[j] = Value(a, Within(index, eights), inverse);
      }
#pragma unroll
      for (int j = 0; j < kFlight; ++j) {
        const int index = first + j * threads + thread;
        if (index - thread % kWarp < eights) StoreRounded<kPacking>(a, Within(index, eights), x[j], v);
      }
    }
  } else {
#pragma unroll 4
    for (int i = static_cast<int>(threadIdx.x); i < eights; i += static_cast<int>(blockDim.x)) {
      const Eight x = Value(a, i, inverse);
      v.floats[i] = x.first;
      v.floats[eights + i] = x.second;
    }
  }
}

template <Packing kPacking>
__device__ float2 UnpackPair(uint32_t bits) {
  if constexpr (kPacking == Packing::kHalf) return __half22float2(*reinterpret_cast<const __half2*>(&bits));
  return {__uint_as_float(bits << 16), __uint_as_float(bits & 0xFFFF0000U)};
}

__device__ inline int Dot16(const uint4& a, const uint4& b) {
  int dot = __dp4a(static_cast<int>(a.x), static_cast<int>(b.x), 0);
  dot = __dp4a(static_cast<int>(a.y), static_cast<int>(b.y), dot);
  dot = __dp4a(static_cast<int>(a.z), static_cast<int>(b.z), dot);
  return __dp4a(static_cast<int>(a.w), static_cast<int>(b.w), dot);
}

template <Packing kPacking>
__device__ float Dot(const Chunk& w, const SharedVector& v, int chunk, int64_t cols) {
  if constexpr (kPacking == Packing::kInt4) {
    const auto* halves = reinterpret_cast<const uint4*>(v.bytes);
    constexpr uint32_t kLow = 0x0F0F0F0FU;
    const uint4 low{w.values.x & kLow, w.values.y & kLow, w.values.z & kLow, w.values.w & kLow};
    const uint4 high{(w.values.x >> 4) & kLow, (w.values.y >> 4) & kLow, (w.values.z >> 4) & kLow,
                     (w.values.w >> 4) & kLow};
    const int dot = Dot16(low, halves[chunk]) + Dot16(high, halves[cols / 32 + chunk]);
    const float2 scale = __half22float2(*reinterpret_cast<const __half2*>(&w.scale));
    const float2 group = v.groups[chunk];
    return scale.x * group.x * static_cast<float>(dot) + scale.y * group.y;
  } else if constexpr (kPacking == Packing::kInt8) {
    const int dot = Dot16(w.values, reinterpret_cast<const uint4*>(v.bytes)[chunk]);
    const auto bits = static_cast<uint16_t>(w.scale);
    return __half2float(*reinterpret_cast<const __half*>(&bits)) * v.groups[chunk / 2].x * static_cast<float>(dot);
  } else {
    const float4 first = v.floats[chunk];
    const float4 second = v.floats[cols / 8 + chunk];
    const float2 a = UnpackPair<kPacking>(w.values.x);
    const float2 b = UnpackPair<kPacking>(w.values.y);
    const float2 c = UnpackPair<kPacking>(w.values.z);
    const float2 d = UnpackPair<kPacking>(w.values.w);
    return a.x * first.x + a.y * first.y + b.x * first.z + b.y * first.w + c.x * second.x + c.y * second.y +
           d.x * second.z + d.y * second.w;
  }
}

__device__ inline float SumOfSquares(const float4& x) { return x.x * x.x + x.y * x.y + x.z * x.z + x.w * x.w; }

// A vector of at most eight values a thread: each reads its part once. norm: the values of a.norm that belong to it, if
// there is one.
template <Packing kPacking>
__device__ void StoreShortVector(const MatVec& a, const Eight& norm, const SharedVector& v) {
  __shared__ float scratch[kWarp];
  const int eights = static_cast<int>(a.w.cols) / 8;
  const auto index = static_cast<int>(threadIdx.x);
  const bool has = index < eights;
  const int within = Within(index, eights);
  Eight x = ReadEight(a.x, within);
  if (a.norm != nullptr) {
    const float mine = WarpSum(has ? SumOfSquares(x.first) + SumOfSquares(x.second) : 0.0F);
    if (index % kWarp == 0) scratch[index / kWarp] = mine;
    __syncthreads();
    const int lane = index % kWarp;
    const float sum = WarpSum(lane < static_cast<int>(blockDim.x) / kWarp ? scratch[lane] : 0.0F);
    x = Normalised(x, rsqrtf(sum / static_cast<float>(a.w.cols) + a.epsilon), norm);
  }
  if constexpr (kRounded<kPacking>) {
    StoreRounded<kPacking>(a, within, x, v);
  } else if (has) {
    v.floats[index] = x.first;
    v.floats[eights + index] = x.second;
  }
}

__device__ inline float InverseRms(const MatVec& a) {
  __shared__ float scratch[kWarp];
  float sum = 0;
#pragma unroll 4
  for (int i = static_cast<int>(threadIdx.x); i < static_cast<int>(a.w.cols) / 4; i += static_cast<int>(blockDim.x)) {
    const float4 x = reinterpret_cast<const float4*>(a.x)[i];
    sum += SumOfSquares(x);
  }
  return rsqrtf(BlockSum(sum, scratch) / static_cast<float>(a.w.cols) + a.epsilon);
}

// What a row's product is added to.
__device__ inline float Before(const MatVec& a, int64_t row) {
  const float bias = a.bias == nullptr ? 0.0F : a.bias[row];
  return a.result == MatVecResult::kAdd ? a.y[row] + bias : bias;
}

__device__ inline void PutResult(const MatVec& a, int64_t row, float before, float first, float second) {
  a.y[row] = a.result == MatVecResult::kGate ? Activate(a.activation, first) * second : before + first;
}

// Bytes of the vector in shared memory.
template <Packing kPacking>
int SharedVectorBytes(int64_t cols) {
  return static_cast<int>(kRounded<kPacking> ? cols + cols / 32 * 8 : cols * 4);
}

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_MATVEC_CUH_
