// The configuration of a model folder, as the values that its GGUF conversion would have.
#ifndef LTRI_WEIGHTS_HF_HF_CONFIG_H_
#define LTRI_WEIGHTS_HF_HF_CONFIG_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "ltri/result.h"
#include "weights/gguf_writer.h"
#include "weights/hf/hf_architecture.h"
#include "weights/hf/json_file.h"

namespace ltri {

// Frequency factors, which a GGUF file has as a tensor.
struct HfFactors {
  std::string tensor;
  std::vector<float> values;
};

struct HfConfig {
  const HfArchitecture* architecture = nullptr;
  nlohmann::json json;  // config.json
  int64_t layers = 0;
  bool tied = false;
  std::vector<HfFactors> factors;
  std::unordered_map<std::string, std::string> names;  // GGUF's values → fields of config.json
};

// Reads `folder`/config.json and puts what it says into `out`. Ranges are left to those who read GGUF values. Errors
// name file, field and value: kUnsupported for an architecture, activation, scaling or quantisation that this build
// does not run.
Result<HfConfig> ReadHfConfig(const std::string& folder, GgufWriter& out);

// Copies fields of config.json to GGUF values and remembers the names.
class HfValues {
 public:
  HfValues(JsonFields& fields, HfConfig& config, GgufWriter& out)
      : fields_(fields), prefix_(std::string(config.architecture->gguf) + "."), config_(config), out_(out) {}

  void SetInteger(const std::string& key, const std::string& field, int64_t value);
  void SetNumber(const std::string& key, const std::string& field, double value);
  void SetText(const std::string& key, const std::string& value) { out_.SetText(prefix_ + key, value); }
  void SetFlags(const std::string& key, const std::string& field, const std::vector<bool>& values);
  void SetFactors(const std::string& tensor, const std::string& field, std::vector<float> values);

  JsonFields& fields() { return fields_; }
  const HfArchitecture& architecture() const { return *config_.architecture; }

 private:
  void Name(const std::string& key, const std::string& field) { config_.names[key] = field + " in config.json"; }

  JsonFields& fields_;
  std::string prefix_;
  HfConfig& config_;
  GgufWriter& out_;
};

// RoPE: base, part of the head, scaling (hf_rope.cc).
void SetRope(HfValues& values, int64_t head_dim);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HF_HF_CONFIG_H_
