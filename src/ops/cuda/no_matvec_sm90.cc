// For builds without code for compute capability 9.0: MultiplyVector never asks for bulk copies.
#include "ops/cuda/matvec.h"

namespace ltri::cuda {

void MultiplyVectorInBulk(Stream stream, const MatVec& args) { MultiplyVectorFromRegisters(stream, args); }

bool HasBulkCopies() { return false; }

}  // namespace ltri::cuda
