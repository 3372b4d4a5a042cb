#include "weights/hf/hf_architecture.h"

#include <algorithm>
#include <array>

namespace ltri {
namespace {

constexpr std::array<HfTensorName, 4> kModelTensors = {{
    {"token_embd.weight", "model.embed_tokens.weight"},
    {"output_norm.weight", "model.norm.weight"},
    {"output.weight", "lm_head.weight"},
    {"output.bias", "lm_head.bias"},
}};

constexpr std::array<HfTensorName, 15> kLayerTensors = {{
    {"attn_norm.weight", "input_layernorm.weight"},
    {"attn_q.weight", "self_attn.q_proj.weight"},
    {"attn_q.bias", "self_attn.q_proj.bias"},
    {"attn_k.weight", "self_attn.k_proj.weight"},
    {"attn_k.bias", "self_attn.k_proj.bias"},
    {"attn_v.weight", "self_attn.v_proj.weight"},
    {"attn_v.bias", "self_attn.v_proj.bias"},
    {"attn_qkv.weight", "self_attn.qkv_proj.weight"},
    {"attn_output.weight", "self_attn.o_proj.weight"},
    {"attn_output.bias", "self_attn.o_proj.bias"},
    {"attn_q_norm.weight", "self_attn.q_norm.weight"},
    {"attn_k_norm.weight", "self_attn.k_norm.weight"},
    {"ffn_gate.weight", "mlp.gate_proj.weight"},
    {"ffn_up.weight", "mlp.up_proj.weight"},
    {"ffn_down.weight", "mlp.down_proj.weight"},
}};

constexpr std::array<HfTensorName, 1> kPlain = {{{"ffn_norm.weight", "post_attention_layernorm.weight"}}};

constexpr std::array<HfTensorName, 2> kFused = {{
    {"ffn_norm.weight", "post_attention_layernorm.weight"},
    {"ffn_up.weight", "mlp.gate_up_proj.weight"},
}};

constexpr std::array<HfTensorName, 4> kGlm4 = {{
    {"post_attention_norm.weight", "post_self_attn_layernorm.weight"},
    {"ffn_norm.weight", "post_attention_layernorm.weight"},
    {"ffn_up.weight", "mlp.gate_up_proj.weight"},
    {"post_ffw_norm.weight", "post_mlp_layernorm.weight"},
}};

constexpr std::array<HfTensorName, 3> kGemma3 = {{
    {"post_attention_norm.weight", "post_attention_layernorm.weight"},
    {"ffn_norm.weight", "pre_feedforward_layernorm.weight"},
    {"post_ffw_norm.weight", "post_feedforward_layernorm.weight"},
}};

constexpr std::array<HfArchitecture, 9> kArchitectures = {{
    {.name = "LlamaForCausalLM", .gguf = "llama", .half_pairs = true, .tensors = kPlain},
    {.name = "MistralForCausalLM", .gguf = "llama", .half_pairs = true, .tensors = kPlain},
    {.name = "Qwen2ForCausalLM", .gguf = "qwen2", .tensors = kPlain},
    {.name = "Qwen3ForCausalLM", .gguf = "qwen3", .tensors = kPlain},
    {.name = "Phi3ForCausalLM", .gguf = "phi3", .tensors = kFused},
    {.name = "GlmForCausalLM", .gguf = "chatglm", .rotary_part = 0.5, .tensors = kFused},
    {.name = "Glm4ForCausalLM", .gguf = "glm4", .rotary_part = 0.5, .tensors = kGlm4},
    {.name = "Gemma3ForCausalLM", .gguf = "gemma3", .tied = true, .norms_add_one = true, .tensors = kGemma3},
    {.name = "Gemma3ForConditionalGeneration",
     .gguf = "gemma3",
     .tied = true,
     .norms_add_one = true,
     .has_images = true,
     .tensors = kGemma3},
}};

}  // namespace

const HfArchitecture* FindHfArchitecture(std::string_view name) {
  const auto* found = std::find_if(kArchitectures.begin(), kArchitectures.end(),
                                   [&](const HfArchitecture& a) { return a.name == name; });
  return found == kArchitectures.end() ? nullptr : found;
}

std::string KnownHfArchitectures() {
  std::string names;
  for (const HfArchitecture& architecture : kArchitectures) {
    names += (names.empty() ? "" : ", ") + std::string(architecture.name);
  }
  return names;
}

std::span<const HfTensorName> HfModelTensors() { return kModelTensors; }
std::span<const HfTensorName> HfLayerTensors() { return kLayerTensors; }

}  // namespace ltri
