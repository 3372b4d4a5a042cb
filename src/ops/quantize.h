// 8-bit vectors with one scale each.
#ifndef LTRI_OPS_QUANTIZE_H_
#define LTRI_OPS_QUANTIZE_H_

#include <cstdint>

namespace ltri {

// to[i] = round(from[i] / scale), scale = max |from| / 127 (returned; 0 for a zero vector).
float QuantizeVector(const float* from, int64_t count, int8_t* to);

}  // namespace ltri

#endif  // LTRI_OPS_QUANTIZE_H_
