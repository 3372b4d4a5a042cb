// A linear layer for one decoded token (contract: ops/matmul.h, single rows), with what stands before and after it.
//
// The weights are read once, as they lie; what is read of them does not wait for the kernel before. Packed weights meet
// the vector rounded to 8 bits, one scale for each 32 values, as on the CPU.
#ifndef LTRI_OPS_CUDA_MATVEC_H_
#define LTRI_OPS_CUDA_MATVEC_H_

#include <cstdint>

#include "ops/cuda/device.h"
#include "ops/cuda/types.h"
#include "weights/model_config.h"

namespace ltri::cuda {

enum class MatVecResult {
  kSet,   // y = W x + bias
  kAdd,   // y += W x + bias
  kGate,  // y = activation(first half of W x) * second half
};

struct MatVec {
  DeviceMatrix w;               // cols: a multiple of 32
  const float* x = nullptr;     // [cols]
  const float* norm = nullptr;  // [cols] x is normalised with these weights (ops/rms_norm.h), or null
  float epsilon = 0;
  const float* bias = nullptr;  // [rows] or null
  MatVecResult result = MatVecResult::kSet;
  Activation activation = Activation::kSilu;  // for kGate
  float* y = nullptr;                         // [rows], or [rows / 2] for kGate
};

// The best there is for the card.
void MultiplyVector(Stream stream, const MatVec& args);

// The two there are. InBulk needs compute capability 9.0, and a build that has it.
void MultiplyVectorFromRegisters(Stream stream, const MatVec& args);
void MultiplyVectorInBulk(Stream stream, const MatVec& args);
bool HasBulkCopies();

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_MATVEC_H_
