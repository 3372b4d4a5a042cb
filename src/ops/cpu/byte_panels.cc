// byte_panels.h on processors that have no kernels of their own.
#include "hwy/base.h"

#if !HWY_ARCH_X86

#include "ops/cpu/byte_panels.h"

namespace ltri {

bool HasBytePanels(int /*type*/) { return false; }
void RoundRow(const float* /*x*/, int64_t /*cols*/, RoundedBlock* /*to*/) {}
void MakeBytePanel(const Matrix& /*w*/, int64_t /*first*/, PanelBlock* /*panel*/) {}
void MultiplyBytePanel(int /*type*/, const RoundedBlock* /*x*/, int64_t /*rows*/, int64_t /*cols*/,
                       const PanelBlock* /*panel*/, const float* /*bias*/, float* /*y*/, int64_t /*y_stride*/,
                       int64_t /*outputs*/) {}

}  // namespace ltri

#endif  // !HWY_ARCH_X86
