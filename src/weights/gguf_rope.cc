// Rotary embeddings as llama.cpp derives them from the same metadata, so that both turn alike.
#include <fmt/format.h>

#include <cmath>

#include "weights/ggml_types.h"
#include "weights/gguf_config.h"

namespace ltri {
namespace {

// [dims / 2] factors, or nothing when the file has no such tensor.
std::vector<float> ReadFactors(GgufFields& fields, const char* name, int64_t dims) {
  const GgufTensor* tensor = fields.file().FindTensor(name);
  if (tensor == nullptr) return {};
  if (tensor->dims != 1 || tensor->shape[0] != dims / 2) {
    fields.Fail(ErrorCode::kCorrupt, fmt::format("tensor {} has shape {}, expected [{}]",
                                                 Quoted(fields.file().Called(name)), tensor->ShapeText(), dims / 2));
    return {};
  }
  std::vector<float> factors(static_cast<size_t>(dims / 2));
  DequantizeRow(tensor->type, tensor->data, factors.data(), dims / 2);
  for (size_t i = 0; i < factors.size(); ++i) {
    if (!(factors[i] > 0.0F) || !std::isfinite(factors[i])) {
      fields.Fail(ErrorCode::kCorrupt, fmt::format("tensor {} has {} at {}, expected a positive number",
                                                   Quoted(fields.file().Called(name)), factors[i], i));
      break;
    }
  }
  return factors;
}

int64_t ReadDims(GgufFields& fields, const Architecture& architecture, const ModelConfig& config) {
  const int64_t dims = fields.IntegerOr("rope.dimension_count", config.head_dim, 2, config.head_dim);
  if (dims % 2 != 0 || (architecture.full_rotary && dims != config.head_dim)) {
    fields.Fail(ErrorCode::kCorrupt,
                fmt::format("{} is {}, expected {}", fields.Name("rope.dimension_count"), dims,
                            architecture.full_rotary ? fmt::format("{}", config.head_dim) : "an even number"));
  }
  const int64_t local_dims = fields.IntegerOr("rope.dimension_count_swa", dims, 2, config.head_dim);
  if (local_dims != dims) {
    fields.Fail(ErrorCode::kUnsupported, fmt::format("{} is {}, but other layers have {}; they must be equal",
                                                     fields.Name("rope.dimension_count_swa"), local_dims, dims));
  }
  return dims;
}

// Images and text in one model turn by three positions at once; plain text models have no sections.
void RejectSections(GgufFields& fields) {
  const std::string key = fields.Key("rope.dimension_sections");
  const GgufValue* sections = fields.file().FindValue(key);
  if (sections == nullptr || sections->count < 2) return;
  const auto first = fields.file().Integer(key, 0);
  const auto second = fields.file().Integer(key, 1);
  if (first && second && *first > 0 && *second > 0) {
    fields.Fail(ErrorCode::kUnsupported,
                fmt::format("{} is {}, {}, ...: models for images are not supported", key, *first, *second));
  }
}

// YaRN's attention factor without the 1 + 0.1 ln(factor) that the rotation itself multiplies by.
float YarnMagnitude(float scale) {
  const float factor = 1.0F / scale;
  const float growth = 1.0F + 0.1F * std::log(factor);
  return (factor <= 1.0F ? 1.0F : growth) / growth;
}

void ReadScaling(GgufFields& fields, const std::string& type, RopeConfig& rope) {
  float factor = 0.0F;
  for (const char* key : {"rope.scale_linear", "rope.scaling.factor"}) {  // the older name first: the newer one wins
    if (fields.Has(key)) factor = fields.Number(key, 0.0, 1e6);
  }
  if (factor != 0.0F && factor < 1e-3F) {
    fields.Fail(ErrorCode::kCorrupt,
                fmt::format("{} is {}, expected 0.001 to 1000000", fields.Name("rope.scaling.factor"), factor));
    factor = 0.0F;
  }
  rope.scale = factor == 0.0F || type == "none" ? 1.0F : 1.0F / factor;
  rope.magnitude = fields.NumberOr("rope.scaling.attn_factor", 1.0F, 1e-3, 1e3);
  if (type == "yarn") {
    rope.yarn_ext_factor = 1.0F;
    rope.magnitude *= YarnMagnitude(rope.scale);
  } else if (type != "none" && type != "linear" && type != "longrope") {
    fields.Fail(ErrorCode::kUnsupported, fmt::format("{} is {}, expected none, linear, yarn or longrope",
                                                     fields.Name("rope.scaling.type"), Quoted(type)));
  }
}

}  // namespace

void ReadRope(GgufFields& fields, const Architecture& architecture, ModelConfig& config) {
  RopeConfig& rope = config.rope;
  RejectSections(fields);
  rope.dims = ReadDims(fields, architecture, config);
  rope.pairs = fields.TextOr("rope.pairs", "") == "halves" ? RopePairs::kHalves : architecture.pairs;
  rope.base = fields.NumberOr("rope.freq_base", 10000.0F, 1.001, 1e12);
  const int64_t original = fields.IntegerOr("rope.scaling.original_context_length", 0, 0, int64_t{1} << 31);
  rope.original_context = original > 0 ? original : config.trained_context;
  const std::string type = fields.TextOr("rope.scaling.type", "linear");
  ReadScaling(fields, type, rope);

  // phi3 has long factors whatever the type says; llama has them for longrope and its own kind for the rest.
  if (architecture.long_rope_factors && (!architecture.rope_factors || type == "longrope")) {
    rope.factors = ReadFactors(fields, "rope_factors_short.weight", rope.dims);
    rope.long_factors = ReadFactors(fields, "rope_factors_long.weight", rope.dims);
    if (rope.factors.empty() != rope.long_factors.empty()) {
      fields.Fail(ErrorCode::kCorrupt, fmt::format("tensor \"rope_factors_{}.weight\" is missing, but its counterpart "
                                                   "is there",
                                                   rope.factors.empty() ? "short" : "long"));
    }
  } else if (architecture.rope_factors) {
    rope.factors = ReadFactors(fields, "rope_freqs.weight", rope.dims);
  }
  if (config.sliding_window > 0) {
    config.local_rope = rope;
    config.local_rope.scale = 1.0F;
    config.local_rope.base = fields.NumberOr("rope.freq_base_swa", 10000.0F, 1.001, 1e12);
  }
}

}  // namespace ltri
