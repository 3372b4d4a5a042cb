// Rotary embeddings: what transformers computes from config.json, as GGUF values and frequency factors.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "weights/hf/hf_config.h"

namespace ltri {
namespace {

using nlohmann::json;

constexpr int64_t kMostDims = 4096;

// transformers 5 has one object for each kind of layer, before that RoPE's fields were part of config.json.
struct RopeFields {
  const json* object = nullptr;  // of layers with full attention
  std::string field;             // its name, for messages
  const json* local = nullptr;   // of sliding layers; null: said elsewhere
};

RopeFields FindRope(JsonFields& fields) {
  const std::string name = fields.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const json& object = fields.Object(name);
  const auto full = object.find("full_attention");
  if (full == object.end() || !full->is_object()) return {&object, name};
  const auto local = object.find("sliding_attention");
  return {&*full, name + ".full_attention", local != object.end() && local->is_object() ? &*local : nullptr};
}

// Llama 3.1: long waves are stretched, short ones are not, those between are blended.
std::vector<float> Llama3Factors(JsonFields& rope, double base, int64_t dims) {
  const double factor = rope.Number("factor");
  const double low = rope.Number("low_freq_factor");
  const double high = rope.Number("high_freq_factor");
  const double context = rope.Number("original_max_position_embeddings");
  if (!(factor > 0) || !(low > 0) || !(high > low) || !(context > 0)) {
    rope.Fail(ErrorCode::kCorrupt, "factor",
              fmt::format("is {}, low_freq_factor {}, high_freq_factor {} and original_max_position_embeddings {}; "
                          "expected positive numbers, low below high",
                          factor, low, high, context));
    return {};
  }
  std::vector<float> factors;
  for (int64_t i = 0; i < dims; i += 2) {
    const double wave = 2 * std::numbers::pi * std::pow(base, static_cast<double>(i) / static_cast<double>(dims));
    double stretch = factor;
    if (wave < context / high) {
      stretch = 1;
    } else if (wave <= context / low) {
      const double share = (context / wave - low) / (high - low);  // of the frequency as it was
      stretch = 1 / ((1 - share) / factor + share);
    }
    factors.push_back(static_cast<float>(stretch));
  }
  return factors;
}

void SetYarn(HfValues& values, JsonFields& rope, const std::string& field) {
  const double factor = rope.Number("factor");
  values.SetNumber("rope.scaling.factor", field + ".factor", factor);
  for (const auto& [name, standard] : {std::pair{"beta_fast", 32.0}, {"beta_slow", 1.0}}) {
    if (const double value = rope.NumberOr(name, standard); value != standard) {
      rope.Fail(ErrorCode::kUnsupported, name, fmt::format("is {}, expected {}", value, standard));
    }
  }
  for (const char* name : {"mscale", "mscale_all_dim"}) {
    if (rope.Has(name)) rope.Fail(ErrorCode::kUnsupported, name, "is there, which models of this kind do not have");
  }
  if (rope.Has("attention_factor") && factor > 1) {
    values.SetNumber("rope.scaling.attn_factor", field + ".attention_factor",
                     rope.Number("attention_factor") / (0.1 * std::log(factor) + 1));
  }
}

void SetLongRope(HfValues& values, JsonFields& rope, const std::string& field, int64_t original) {
  values.SetFactors("rope_factors_short.weight", field + ".short_factor", rope.Numbers("short_factor"));
  values.SetFactors("rope_factors_long.weight", field + ".long_factor", rope.Numbers("long_factor"));
  const auto context = static_cast<double>(values.fields().Integer("max_position_embeddings"));
  const double stretch = rope.NumberOr("factor", context / static_cast<double>(original));
  const double standard =
      stretch > 1 ? std::sqrt(1 + std::log(stretch) / std::log(static_cast<double>(original))) : 1.0;
  values.SetNumber("rope.scaling.attn_factor", field + ".attention_factor",
                   rope.NumberOr("attention_factor", standard));
}

void SetScaling(HfValues& values, JsonFields& rope, const std::string& field, double base, int64_t dims) {
  const std::string type = rope.TextOr(rope.Has("rope_type") ? "rope_type" : "type", "default");
  if (type == "default") return;
  JsonFields& fields = values.fields();
  const char* original_name = "original_max_position_embeddings";
  const int64_t original = (rope.Has(original_name) ? rope : fields)
                               .IntegerOr(original_name, fields.IntegerOr("max_position_embeddings", 0));
  const bool is_long = type == "longrope" || type == "su";
  if (original <= 1) {
    rope.Fail(ErrorCode::kCorrupt, original_name, fmt::format("is {}, expected more", original));
  } else if (type == "llama3") {
    values.SetFactors("rope_freqs.weight", field, Llama3Factors(rope, base, dims));
  } else if (type == "linear") {
    values.SetText("rope.scaling.type", type);
    values.SetNumber("rope.scaling.factor", field + ".factor", rope.Number("factor"));
  } else if (type == "yarn" || is_long) {
    values.SetText("rope.scaling.type", is_long ? "longrope" : "yarn");
    values.SetInteger("rope.scaling.original_context_length", original_name, original);
    is_long ? SetLongRope(values, rope, field, original) : SetYarn(values, rope, field);
  } else {
    rope.Fail(ErrorCode::kUnsupported, "rope_type",
              fmt::format("is {}, expected default, linear, yarn, llama3 or longrope", type));
  }
}

}  // namespace

void SetRope(HfValues& values, int64_t head_dim) {
  JsonFields& fields = values.fields();
  const HfArchitecture& architecture = values.architecture();
  if (architecture.half_pairs) values.SetText("rope.pairs", "halves");
  const RopeFields found = FindRope(fields);
  JsonFields rope(*found.object, fields.Place(found.field), fields.status());

  const bool is_gemma = architecture.gguf == "gemma3";
  const double base = (rope.Has("rope_theta") ? rope : fields).NumberOr("rope_theta", is_gemma ? 1e6 : 1e4);
  values.SetNumber("rope.freq_base", "rope_theta", base);
  const char* part = "partial_rotary_factor";
  const double share = (rope.Has(part) ? rope : fields).NumberOr(part, architecture.rotary_part);
  // Sizes out of all proportion are refused later, with those of the heads.
  const auto head = static_cast<double>(std::clamp<int64_t>(head_dim, 0, kMostDims));
  const auto dims = static_cast<int64_t>(head * std::clamp(share, 0.0, 2.0));
  values.SetInteger("rope.dimension_count", part, dims);
  if (is_gemma) {
    JsonFields local(found.local != nullptr ? *found.local : fields.Object(""), fields.Place("rope_parameters"),
                     fields.status());
    values.SetNumber(
        "rope.freq_base_swa", "rope_local_base_freq",
        found.local != nullptr ? local.NumberOr("rope_theta", 1e4) : fields.NumberOr("rope_local_base_freq", 1e4));
  }
  SetScaling(values, rope, found.field, base, dims);
}

}  // namespace ltri
