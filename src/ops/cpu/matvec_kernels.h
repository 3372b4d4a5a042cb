// The kernels behind matvec.h, one set for each kind of instructions; matvec.cc picks.
#ifndef LTRI_OPS_CPU_MATVEC_KERNELS_H_
#define LTRI_OPS_CPU_MATVEC_KERNELS_H_

#include <cstdint>

#include "ops/cpu/matvec.h"

namespace ltri {

using MatvecKernel = void (*)(const Matrix& w, int64_t first, int64_t count, const VectorPart* x, float* y);

// For weights of ggml's type `type`; null where there is none for it, or where the instructions may not be used
// (instructions.h).
MatvecKernel Avx512Matvec(int type);  // needs VNNI and VBMI
MatvecKernel Avx2Matvec(int type);

}  // namespace ltri

#endif  // LTRI_OPS_CPU_MATVEC_KERNELS_H_
