// From a GGUF file to what the decoder needs: a configuration and views of the weights.
#ifndef LTRI_WEIGHTS_GGUF_MODEL_H_
#define LTRI_WEIGHTS_GGUF_MODEL_H_

#include "ltri/result.h"
#include "weights/gguf_file.h"
#include "weights/model_config.h"
#include "weights/model_weights.h"

namespace ltri {

struct LoadedModel {
  ModelConfig config;
  ModelWeights weights;  // its storage keeps the mapped file alive
};

// Architectures: llama, qwen2, qwen3, phi3, glm4, chatglm, gemma3. Weights are not copied, only norms, biases and RoPE
// factors are. Errors name the file, the field or tensor, its value or shape, and what was expected.
Result<LoadedModel> LoadGguf(const GgufFile& file);

// The tensors alone, for a configuration that ReadModelConfig made from the same file.
Result<ModelWeights> ReadModelWeights(const GgufFile& file, const ModelConfig& config);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_GGUF_MODEL_H_
