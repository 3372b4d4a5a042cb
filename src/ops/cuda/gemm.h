// Matrix products of many rows by cuBLASLt (contract: ops/matmul.h, block rows).
#ifndef LTRI_OPS_CUDA_GEMM_H_
#define LTRI_OPS_CUDA_GEMM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>

#include "ops/cuda/device.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

enum class GemmResult {
  kFloat,     // y = x W^T as floats
  kAddFloat,  // y += x W^T, floats
  kFloat16,   // y = x W^T in the type of x
};

// Not thread safe: belongs to whoever runs steps.
class Gemm {
 public:
  Gemm();
  ~Gemm();
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;

  // x: [rows, w.cols] of `type`; w: 16 bits of that type, or packed (then unpacked first, to halves).
  // y: [rows, outputs], of which this layer fills columns [column, column + w.rows).
  void Multiply(Stream stream, const DeviceMatrix& w, Float16 type, const void* x, int64_t rows, GemmResult result,
                void* y, int64_t outputs, int64_t column);

 private:
  struct Plan;
  using Key = std::tuple<int64_t, int64_t, int64_t, int64_t, Float16, GemmResult>;  // outputs, rows, cols, stride
  Plan& PlanFor(const Key& key);

  void* handle_ = nullptr;
  Buffer workspace_;
  Buffer unpacked_;
  std::map<Key, std::unique_ptr<Plan>> plans_;
};

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_GEMM_H_
