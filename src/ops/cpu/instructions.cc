#include "ops/cpu/instructions.h"

#include "hwy/base.h"
#include "ops/cpu/panels.h"

namespace ltri {

#if HWY_ARCH_X86

bool UsesAvx2() {
  // Whoever has AVX2 has 16-bit floats too, for which not every compiler knows how to ask.
  static const bool has = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  return has && PanelWidth() >= 16;
}

bool UsesAvx512Vnni() {
  static const bool has = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
                          __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                          __builtin_cpu_supports("avx512vnni") != 0;
  return has && PanelWidth() == 32;
}

#else

bool UsesAvx2() { return false; }
bool UsesAvx512Vnni() { return false; }

#endif  // HWY_ARCH_X86

}  // namespace ltri
