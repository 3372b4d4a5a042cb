#include "ops/cpu/matvec.h"

#include "hwy/base.h"
#include "ops/cpu/matvec_kernels.h"

namespace ltri {
namespace {

MatvecKernel FindKernel(int type) {
#if HWY_ARCH_X86
  const MatvecKernel kernel = Avx512Matvec(type);
  return kernel != nullptr ? kernel : Avx2Matvec(type);
#else
  (void)type;
  return nullptr;
#endif
}

}  // namespace

bool HasMatvec(int type) { return FindKernel(type) != nullptr; }

#if !HWY_ARCH_X86
void RoundVector(const float* /*x*/, int64_t /*cols*/, VectorPart* /*to*/) {}
#endif

void Matvec(const Matrix& w, int64_t first, int64_t count, const VectorPart* x, float* y) {
  FindKernel(w.type)(w, first, count, x, y);
}

}  // namespace ltri
