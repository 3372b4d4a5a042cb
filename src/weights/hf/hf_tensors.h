// HfTensors: the weights of a model folder under the names that a GGUF file has for them.
#ifndef LTRI_WEIGHTS_HF_HF_TENSORS_H_
#define LTRI_WEIGHTS_HF_HF_TENSORS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ltri/result.h"
#include "weights/gguf_file.h"
#include "weights/hf/hf_config.h"
#include "weights/hf/safetensors_file.h"

namespace ltri {

class HfTensors {
 public:
  // Opens model.safetensors, or the files that model.safetensors.index.json lists.
  static Result<HfTensors> Open(const std::string& folder);

  // Null: there is none. `name` as in the folder.
  const GgufTensor* Find(std::string_view name) const;
  int64_t bytes() const;  // of all files

  // The tensors in GGUF's names, those that GGUF has no name for in their own; `names` gets what each is called here.
  // They point into this object, which must not move afterwards. Error kCorrupt when the output matrix is missing.
  Result<std::vector<GgufTensor>> Convert(const HfConfig& config, std::unordered_map<std::string, std::string>& names);

 private:
  HfTensors() = default;
  Status OpenParts(const std::string& index_path);
  // The name under which a tensor of a language model is found in the folder of a model with images.
  std::string Locate(const std::string& name) const;
  GgufTensor Renamed(const std::string& name, const GgufTensor& tensor, bool adds_one);
  GgufTensor Made(const std::string& name, std::vector<float> values);

  std::string folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string_view, const GgufTensor*> by_name_;
  std::deque<std::string> names_;
  std::deque<std::vector<std::byte>> copies_;
  std::deque<std::vector<float>> floats_;
};

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HF_HF_TENSORS_H_
