// ModelConfig: all that distinguishes one decoder-only transformer from another.
//
// A config is read from a file's metadata (gguf_model.h) and is complete: nothing later asks for the architecture's
// name.
#ifndef LTRI_WEIGHTS_MODEL_CONFIG_H_
#define LTRI_WEIGHTS_MODEL_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

namespace ltri {

// Which dimensions of a head RoPE turns together.
enum class RopePairs {
  kAdjacent,  // (0,1), (2,3), ...    llama, glm4, chatglm
  kHalves,    // (0,n/2), (1,n/2+1), ...   qwen, phi3, gemma
};

// One rotary embedding. Frequency of pair i: base^(-2i/dims) * scale / factors[i]; YaRN mixes scaled and unscaled.
struct RopeConfig {
  int64_t dims = 0;  // rotated dimensions of a head, from the front (<= head_dim)
  RopePairs pairs = RopePairs::kAdjacent;
  float base = 10000.0F;
  float scale = 1.0F;            // linear interpolation: 1 / factor
  float magnitude = 1.0F;        // multiplies cos and sin (longrope, YaRN: without YaRN's own 1 + 0.1 ln factor)
  float yarn_ext_factor = 0.0F;  // 0: off
  float yarn_beta_fast = 32.0F;
  float yarn_beta_slow = 1.0F;
  int64_t original_context = 0;     // tokens the base frequencies were trained for
  std::vector<float> factors;       // [dims / 2] or empty; used up to original_context when long_factors exist
  std::vector<float> long_factors;  // [dims / 2] or empty (longrope beyond original_context)
};

enum class Activation { kSilu, kGelu };  // kGelu: the tanh approximation

struct ModelConfig {
  std::string architecture;  // as in the file: "llama", "qwen2", ...
  std::string name;          // for people; may be empty
  int64_t layers = 0;
  int64_t width = 0;  // of the residual stream
  int64_t heads = 0;
  int64_t kv_heads = 0;  // divides heads
  int64_t head_dim = 0;  // of queries, keys and values
  int64_t feed_forward = 0;
  int64_t vocabulary = 0;
  int64_t trained_context = 0;  // tokens

  float norm_epsilon = 1e-5F;
  float attention_scale = 0.0F;  // usually 1 / sqrt(head_dim)
  float embedding_scale = 1.0F;  // gemma: sqrt(width)
  float logit_softcap = 0.0F;    // 0: none
  Activation activation = Activation::kSilu;

  RopeConfig rope;               // of layers with full attention
  RopeConfig local_rope;         // of sliding-window layers
  int64_t sliding_window = 0;    // tokens a sliding-window layer sees, itself included; 0: no such layer
  std::vector<bool> is_sliding;  // [layers]; empty when sliding_window == 0

  bool IsSliding(int64_t layer) const { return sliding_window > 0 && is_sliding[static_cast<size_t>(layer)]; }
};

}  // namespace ltri

#endif  // LTRI_WEIGHTS_MODEL_CONFIG_H_
