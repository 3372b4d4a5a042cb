// Starting kernels, and the small device functions that most of them use.
#ifndef LTRI_OPS_CUDA_LAUNCH_CUH_
#define LTRI_OPS_CUDA_LAUNCH_CUH_

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "ops/cuda/device.h"
#include "weights/model_config.h"

namespace ltri::cuda {

constexpr int kWarp = 32;

template <typename T>
__host__ __device__ constexpr T CeilDiv(T a, T b) {
  return (a + b - 1) / b;
}

struct LaunchShape {
  dim3 grid;
  int threads = 256;
  int shared_bytes = 0;
  // The kernel may start while the one before it ends: it must call WaitForInputs before it reads what that one wrote,
  // and every kernel of such a chain calls LetNextStart.
  bool overlaps = false;
  int cluster = 1;  // blocks that form a cluster
};

template <typename... Parameters, typename... Arguments>
void Launch(Stream stream, const char* what, const LaunchShape& shape, void (*kernel)(Parameters...),
            Arguments&&... arguments) {
  if (shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z == 0) return;
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = dim3(static_cast<unsigned>(shape.threads));
  config.dynamicSmemBytes = static_cast<size_t>(shape.shared_bytes);
  config.stream = stream;
  cudaLaunchAttribute attributes[2] = {};
  config.attrs = attributes;
  if (shape.overlaps) {
    cudaLaunchAttribute& overlap = attributes[config.numAttrs++];
    overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    overlap.val.programmaticStreamSerializationAllowed = 1;
  }
  if (shape.cluster > 1) {
    cudaLaunchAttribute& cluster = attributes[config.numAttrs++];
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = static_cast<unsigned>(shape.cluster);
    cluster.val.clusterDim.y = 1;
    cluster.val.clusterDim.z = 1;
  }
  // Beyond 48 KiB a kernel must be allowed to; what it has by itself counts too.
  if (shape.shared_bytes > 32 * 1024) {
    Check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shape.shared_bytes), what);
  }
  Check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), what);
}

#ifdef __CUDACC__

__device__ inline void WaitForInputs() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

__device__ inline void LetNextStart() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

__device__ inline float WarpSum(float x) {
#pragma unroll
  for (int lane = kWarp / 2; lane > 0; lane /= 2) x += __shfl_xor_sync(~0U, x, lane);
  return x;
}

__device__ inline float WarpMax(float x) {
#pragma unroll
  for (int lane = kWarp / 2; lane > 0; lane /= 2) x = fmaxf(x, __shfl_xor_sync(~0U, x, lane));
  return x;
}

// The sum over all threads of the block, for each of them. scratch: a float a warp.
__device__ inline float BlockSum(float x, float* scratch) {
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  x = WarpSum(x);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) scratch[threadIdx.x / kWarp] = x;
  __syncthreads();
  float sum = 0;
  for (int i = 0; i < warps; ++i) sum += scratch[i];
  return sum;
}

template <typename T>
struct Numbers;  // how a 16-bit type converts

template <>
struct Numbers<__half> {
  static __device__ float Float(__half x) { return __half2float(x); }
  // Beyond the range: the largest finite number, as on the CPU.
  static __device__ __half From(float x) { return __float2half_rn(fminf(fmaxf(x, -65504.0F), 65504.0F)); }
};

template <>
struct Numbers<__nv_bfloat16> {
  static __device__ float Float(__nv_bfloat16 x) { return __bfloat162float(x); }
  static __device__ __nv_bfloat16 From(float x) { return __float2bfloat16_rn(x); }
};

__device__ inline float Activate(Activation activation, float x) {
  if (activation == Activation::kSilu) return x / (1.0F + __expf(-x));
  return 0.5F * x * (1.0F + tanhf(0.79788456F * (x + 0.044715F * x * x * x)));
}

#endif  // __CUDACC__

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_LAUNCH_CUH_
