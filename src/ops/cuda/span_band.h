// Attention near the diagonal, from what AttendBlock left behind (contract: ops/local_probability.h, SpanBand).
#ifndef LTRI_OPS_CUDA_SPAN_BAND_H_
#define LTRI_OPS_CUDA_SPAN_BAND_H_

#include <cstdint>

#include "ops/cuda/attend.h"

namespace ltri::cuda {

inline constexpr int64_t kBandWidth = 128;  // lags

// band[i][lag - 1] = sum over all heads of the probability that query i gives to the key `lag` tokens before it; 0
// where that is no local key. args: of the AttendBlock before, with its lse. band: [queries, kBandWidth]. scratch:
// [kv_heads, queries, kBandWidth].
void SpanBand(Stream stream, const AttendBlockArgs& args, float* scratch, float* band);

}  // namespace ltri::cuda

#endif  // LTRI_OPS_CUDA_SPAN_BAND_H_
