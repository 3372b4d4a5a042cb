// Root-mean-square normalisation.
#ifndef LTRI_OPS_RMS_NORM_H_
#define LTRI_OPS_RMS_NORM_H_

#include <cstdint>

namespace ltri {

// y[r] = x[r] / sqrt(mean(x[r]^2) + epsilon) * weight. x, y: [rows, width], may be the same; weight: [width].
void RmsNorm(const float* x, const float* weight, int64_t rows, int64_t width, float epsilon, float* y);

}  // namespace ltri

#endif  // LTRI_OPS_RMS_NORM_H_
