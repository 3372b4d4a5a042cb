// HfArchitecture: what the name of an architecture in config.json stands for, and where its tensors are found.
#ifndef LTRI_WEIGHTS_HF_HF_ARCHITECTURE_H_
#define LTRI_WEIGHTS_HF_HF_ARCHITECTURE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ltri {

// A tensor's name in a GGUF file and in a folder, after what names the layer.
struct HfTensorName {
  std::string_view gguf;
  std::string_view hf;
};

struct HfArchitecture {
  std::string_view name;       // "LlamaForCausalLM"
  std::string_view gguf;       // "llama"
  bool half_pairs = false;     // RoPE turns halves, where the GGUF file's rows are reordered for adjacent pairs
  bool tied = false;           // the output matrix is the embedding, unless config.json says otherwise
  bool norms_add_one = false;  // norm weights are stored less one
  bool has_images = false;     // the language model is a part of it: "text_config", tensors under a prefix
  double rotary_part = 1.0;    // of a head, unless config.json says otherwise
  std::span<const HfTensorName> tensors;  // of a layer, beside those that all architectures call alike
};

// Null when this build does not know the architecture.
const HfArchitecture* FindHfArchitecture(std::string_view name);
// "LlamaForCausalLM, ..."
std::string KnownHfArchitectures();

// What all architectures call alike: outside the layers, and in a layer.
std::span<const HfTensorName> HfModelTensors();
std::span<const HfTensorName> HfLayerTensors();

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HF_HF_ARCHITECTURE_H_
