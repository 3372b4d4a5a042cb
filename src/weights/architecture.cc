#include "weights/architecture.h"

#include <algorithm>
#include <array>

namespace ltri {
namespace {

constexpr std::array<Architecture, 7> kArchitectures = {{
    {.name = "llama",
     .pairs = RopePairs::kAdjacent,
     .full_rotary = true,
     .attention_output_bias = true,
     .rope_factors = true,
     .long_rope_factors = true},
    {.name = "qwen2", .pairs = RopePairs::kHalves, .full_rotary = true, .output_bias = true},
    {.name = "qwen3", .pairs = RopePairs::kHalves, .full_rotary = true, .head_norms = true},
    {.name = "phi3", .pairs = RopePairs::kHalves, .fused_feed_forward = true, .long_rope_factors = true},
    {.name = "glm4", .pairs = RopePairs::kAdjacent, .fused_feed_forward = true, .post_norms = true},
    {.name = "chatglm", .pairs = RopePairs::kAdjacent, .fused_feed_forward = true},
    {.name = "gemma3",
     .pairs = RopePairs::kHalves,
     .activation = Activation::kGelu,
     .head_norms = true,
     .post_norms = true},
}};

}  // namespace

const Architecture* FindArchitecture(std::string_view name) {
  const auto* found =
      std::find_if(kArchitectures.begin(), kArchitectures.end(), [&](const Architecture& a) { return a.name == name; });
  return found == kArchitectures.end() ? nullptr : found;
}

std::span<const Architecture> AllArchitectures() { return kArchitectures; }

}  // namespace ltri
