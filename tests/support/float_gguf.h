// A model's file with its layers as 32-bit floats: the same weights, without what quantised products round.
#ifndef LTRI_TESTS_SUPPORT_FLOAT_GGUF_H_
#define LTRI_TESTS_SUPPORT_FLOAT_GGUF_H_

#include <string>

namespace ltri::testing {

// Writes the model at `path` to `target` with the matrices of its layers as F32; embedding and output stay as they are.
// Returns false when a file cannot be read or written.
bool WriteFloatLayers(const std::string& path, const std::string& target);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_FLOAT_GGUF_H_
