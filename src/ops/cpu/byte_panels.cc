#include "ops/cpu/byte_panels.h"

#include "hwy/base.h"
#include "ops/cpu/byte_kernels.h"

namespace ltri {
namespace {

const ByteKernels* FindKernels(int type) {
#if HWY_ARCH_X86
  const ByteKernels* kernels = Avx512ByteKernels(type);
  return kernels != nullptr ? kernels : Avx2ByteKernels(type);
#else
  (void)type;
  return nullptr;
#endif
}

}  // namespace

bool HasBytePanels(int type) { return FindKernels(type) != nullptr; }

#if !HWY_ARCH_X86
void RoundRow(const float* /*x*/, int64_t /*cols*/, RoundedBlock* /*to*/) {}
#endif

void MakeBytePanel(const Matrix& w, int64_t first, PanelBlock* panel) { FindKernels(w.type)->make(w, first, panel); }

void MultiplyBytePanel(int type, const RoundedBlock* x, int64_t rows, int64_t cols, const PanelBlock* panel,
                       const float* bias, float* y, int64_t y_stride, int64_t outputs) {
  FindKernels(type)->multiply(x, rows, {cols / 32, panel, bias, outputs}, y, y_stride);
}

}  // namespace ltri
