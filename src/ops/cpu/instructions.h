// Which of the kernels that are written for one kind of instructions may be used.
//
// The CPU has to have the instructions, and the panels of floats have to be as wide as those of that kind: they say
// what Highway chose, which a test may narrow, and asking Highway itself is slow.
#ifndef LTRI_OPS_CPU_INSTRUCTIONS_H_
#define LTRI_OPS_CPU_INSTRUCTIONS_H_

namespace ltri {

// With FMA and 16-bit floats.
bool UsesAvx2();
// F, VL, DQ, BW and VNNI.
bool UsesAvx512Vnni();

}  // namespace ltri

#endif  // LTRI_OPS_CPU_INSTRUCTIONS_H_
