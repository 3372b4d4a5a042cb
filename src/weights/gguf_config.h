// The configuration of a model, from a GGUF file's metadata.
#ifndef LTRI_WEIGHTS_GGUF_CONFIG_H_
#define LTRI_WEIGHTS_GGUF_CONFIG_H_

#include "ltri/result.h"
#include "weights/architecture.h"
#include "weights/gguf_fields.h"
#include "weights/gguf_file.h"
#include "weights/model_config.h"

namespace ltri {

// Complete and consistent, RoPE factors included; tensors other than those are not looked at.
// Errors name the file, the field and its value: kUnsupported for an architecture, mixture of experts or variant that
// this build does not run, kCorrupt for values that cannot be.
Result<ModelConfig> ReadModelConfig(const GgufFile& file);

// Fills config.rope and config.local_rope (gguf_rope.cc); heads and sliding window are already there.
void ReadRope(GgufFields& fields, const Architecture& architecture, ModelConfig& config);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_GGUF_CONFIG_H_
