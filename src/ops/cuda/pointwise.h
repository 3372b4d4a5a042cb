// The operations between matrix products (contracts: ops/rms_norm.h, ops/activation.h, ops/matmul.h: UnpackRow).
#ifndef LTRI_OPS_CUDA_POINTWISE_H_
#define LTRI_OPS_CUDA_POINTWISE_H_

#include <cstdint>

#include "ops/cuda/device.h"
#include "ops/cuda/types.h"
#include "weights/model_config.h"

namespace ltri::cuda {

// x[r] = row tokens[r] of `embedding` * scale. tokens, x: on the card; x: [rows, embedding.cols].
void Embed(Stream stream, const DeviceMatrix& embedding, const int32_t* tokens, int64_t rows, float scale, float* x);

// y[r] = x[r] / sqrt(mean(x[r]^2) + epsilon) * weight, 16 bits. x, y: [rows, width].
void RmsNorm(Stream stream, const float* x, const float* weight, int64_t rows, int64_t width, float epsilon,
             Float16 type, void* y);

// y = activation(gate) * up. gate_up: [rows, gate x width | up x width], y: [rows, width], 16 bits both.
void GatedActivation(Stream stream, Activation activation, const void* gate_up, int64_t rows, int64_t width,
                     Float16 type, void* y);

// y = x in 16 bits.
void Round(Stream stream, const float* x, int64_t count, Float16 type, void* y);

// y[r] += bias. y: [rows, width].
void AddBias(Stream stream, const float* bias, int64_t rows, int64_t width, float* y);

// x[i] += y[i], y first normalised by row where weight is not null. x, y: [rows, width].
void AddNormed(Stream stream, const float* y, const float* weight, int64_t rows, int64_t width, float epsilon,
               float* x);

// logits = cap * tanh(logits / cap).
void SoftCap(Stream stream, float cap, int64_t count, float* logits);

// *best = the index of the largest of `count` numbers; the lowest of equals. scratch: 16 bytes, cleared before
// the first call.
void ArgMax(Stream stream, const float* numbers, int64_t count, uint64_t* scratch, int32_t* best);

// The table of RopeView for positions [first, first + count). frequency: [dims / 2] radians per position, of the
// dimensions that turn.
void FillRopeTable(Stream stream, const double* frequency, float magnitude, int64_t dims, int64_t head_dim,
                   int64_t first, int64_t count, float* table);

// Numbers of mean 0 and the given deviation, for benches. Deterministic.
void FillRandom(Stream stream, uint64_t seed, float deviation, int64_t count, Float16 type, void* to);

// The matrix as 16-bit numbers, for products of many rows. to: [rows, cols].
void Unpack(Stream stream, const DeviceMatrix& matrix, void* to);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_POINTWISE_H_
