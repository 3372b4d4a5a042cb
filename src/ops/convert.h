// Conversion between 16-bit and 32-bit floats.
#ifndef LTRI_OPS_CONVERT_H_
#define LTRI_OPS_CONVERT_H_

#include <cstdint>

#include "base/half.h"

namespace ltri {

// to[i] = from[i], i < count. Exact.
void HalfToFloat(const Half* from, int64_t count, float* to);

// to[i] = from[i] rounded to nearest even; values beyond the 16-bit range become the largest finite one.
void FloatToHalf(const float* from, int64_t count, Half* to);

}  // namespace ltri

#endif  // LTRI_OPS_CONVERT_H_
