// Files of one model in several weight types, made by llama.cpp's quantiser when they are wanted.
#ifndef LTRI_BENCH_QUANTISED_MODEL_H_
#define LTRI_BENCH_QUANTISED_MODEL_H_

#include <string>
#include <vector>

#include "ltri/result.h"

namespace ltri {

// "f16", "q4_0", "q4_k_m", ...: names as in the names of model files.
std::vector<std::string> WeightTypeNames();

// The type of a model's weights, as it says itself; "unknown" when it does not. Errors as OpenModelFile.
Result<std::string> WeightTypeOf(const std::string& path);

// A file with the weights of `path` in the type `type`: `path` itself when they are of that type, else a file in the
// user's cache ($LTRI_CACHE_DIR, $XDG_CACHE_HOME/ltri or ~/.cache/ltri, folder bench), which is made at the first call
// and kept. Weights that were quantised before are quantised again: good for speed, not for quality.
// Errors: kInvalidArgument (type), kIo (cache), kUnsupported (llama.cpp cannot).
Result<std::string> ModelOfType(const std::string& path, const std::string& type, int threads);

}  // namespace ltri

#endif  // LTRI_BENCH_QUANTISED_MODEL_H_
