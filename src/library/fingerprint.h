// The fingerprint of a model file: what documents remember of the weights they were read with. See
// docs/format_segment.md for what goes into it.
#ifndef LTRI_LIBRARY_FINGERPRINT_H_
#define LTRI_LIBRARY_FINGERPRINT_H_

#include <cstdint>
#include <string>

#include "ltri/result.h"

namespace ltri {

// Of the GGUF file or model folder at `path`; reads some 50 KB a tensor. Errors: those of OpenModelFile.
Result<uint64_t> ModelFingerprint(const std::string& path);

}  // namespace ltri

#endif  // LTRI_LIBRARY_FINGERPRINT_H_
