// Architecture: the rules that the name of an architecture stands for and that no metadata value states.
#ifndef LTRI_WEIGHTS_ARCHITECTURE_H_
#define LTRI_WEIGHTS_ARCHITECTURE_H_

#include <span>
#include <string_view>

#include "weights/model_config.h"

namespace ltri {

struct Architecture {
  std::string_view name;
  RopePairs pairs = RopePairs::kAdjacent;
  Activation activation = Activation::kSilu;
  bool full_rotary = false;            // RoPE turns the whole head
  bool fused_feed_forward = false;     // ffn_up holds gate and up
  bool head_norms = false;             // q and k are normed per head
  bool post_norms = false;             // attention and feed-forward outputs are normed before they are added
  bool attention_output_bias = false;  // may have one
  bool output_bias = false;            // may have one
  bool rope_factors = false;           // may have "rope_freqs.weight"
  bool long_rope_factors = false;      // may have "rope_factors_long.weight" and "rope_factors_short.weight"
};

// Null when this build does not know the architecture.
const Architecture* FindArchitecture(std::string_view name);
std::span<const Architecture> AllArchitectures();

}  // namespace ltri

#endif  // LTRI_WEIGHTS_ARCHITECTURE_H_
