#include "ops/quantize.h"

#include <algorithm>
#include <cmath>

namespace ltri {

float QuantizeVector(const float* from, int64_t count, int8_t* to) {
  float top = 0;
  for (int64_t i = 0; i < count; ++i) top = std::max(top, std::fabs(from[i]));
  const float inverse = top > 0 ? 127.0F / top : 0.0F;
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<int8_t>(std::lrintf(from[i] * inverse));
  return top / 127.0F;
}

}  // namespace ltri
