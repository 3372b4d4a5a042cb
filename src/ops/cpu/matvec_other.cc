// matvec.h on processors that have no kernels of their own.
#include "hwy/base.h"

#if !HWY_ARCH_X86

#include "ops/cpu/matvec.h"

namespace ltri {

bool HasMatvec(int /*type*/) { return false; }
void RoundVector(const float* /*x*/, int64_t /*cols*/, VectorPart* /*to*/) {}
void Matvec(const Matrix& /*w*/, int64_t /*first*/, int64_t /*count*/, const VectorPart* /*x*/, float* /*y*/) {}

}  // namespace ltri

#endif  // !HWY_ARCH_X86
