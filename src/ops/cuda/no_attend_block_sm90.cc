// For builds without code for compute capability 9.0: AttendBlock never asks for warp groups.
#include "ops/cuda/attend.h"

namespace ltri::cuda {

void AttendBlockByWarpGroups(Stream stream, const AttendBlockArgs& args) { AttendBlockByWarps(stream, args); }

bool HasWarpGroups() { return false; }

}  // namespace ltri::cuda
