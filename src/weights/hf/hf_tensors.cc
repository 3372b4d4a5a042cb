#include "weights/hf/hf_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <unordered_set>

#include "weights/ggml_types.h"
#include "weights/hf/json_file.h"

namespace ltri {
namespace {

using nlohmann::json;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

bool Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool IsOfImages(std::string_view name) {
  constexpr std::array<std::string_view, 4> kParts = {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                                                      "model.multi_modal_projector."};
  return std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) { return name.starts_with(part); });
}

}  // namespace

Result<HfTensors> HfTensors::Open(const std::string& folder) {
  HfTensors tensors;
  tensors.folder_ = folder;
  const std::string single = folder + "/" + kSingle;
  const std::string index = folder + "/" + kIndex;
  if (!Exists(single) && Exists(index)) {
    if (Status status = tensors.OpenParts(index); !status.ok()) return status.error();
    return tensors;
  }
  Result<SafetensorsFile> file = SafetensorsFile::Open(single);
  if (!file.ok()) {
    if (file.error().code != ErrorCode::kNotFound) return file.error();
    return Error{
        ErrorCode::kNotFound,
        fmt::format("{}: neither {} nor {} is there; weights in another form are not read", folder, kSingle, kIndex)};
  }
  tensors.files_.push_back(*std::move(file));
  for (const auto& entry : tensors.files_.front().tensors()) tensors.by_name_.emplace(entry.first, &entry.second);
  return tensors;
}

Status HfTensors::OpenParts(const std::string& index_path) {
  const Result<json> index = ReadJsonFile(index_path);
  if (!index.ok()) return index.error();
  std::map<std::string, std::vector<std::string>> parts;  // file → its tensors
  for (const auto& [tensor, file] : Member(*index, "weight_map").items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || name.find('/') != std::string::npos) {
      return Error{ErrorCode::kCorrupt, fmt::format("{}: weight_map has {} for {}, expected a file of this folder",
                                                    index_path, Written(file), Quoted(tensor))};
    }
    parts[name].push_back(tensor);
  }
  if (parts.empty()) return Error{ErrorCode::kCorrupt, fmt::format("{}: weight_map lists no tensors", index_path)};
  for (const auto& [name, tensors] : parts) {
    Result<SafetensorsFile> file = SafetensorsFile::Open(folder_ + "/" + name);
    if (!file.ok()) return file.error();
    files_.push_back(*std::move(file));
    const auto& held = files_.back().tensors();
    for (const std::string& tensor : tensors) {
      if (held.contains(tensor)) continue;
      return Error{ErrorCode::kCorrupt,
                   fmt::format("{}: tensor {} is not in {}, as weight_map says", index_path, Quoted(tensor), name)};
    }
    for (const auto& entry : held) {
      if (by_name_.emplace(entry.first, &entry.second).second) continue;
      return Error{ErrorCode::kCorrupt,
                   fmt::format("{}: tensor {} is in another file as well", files_.back().path(), Quoted(entry.first))};
    }
  }
  return {};
}

const GgufTensor* HfTensors::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

int64_t HfTensors::bytes() const {
  int64_t bytes = 0;
  for (const SafetensorsFile& file : files_) bytes += file.bytes();
  return bytes;
}

std::string HfTensors::Locate(const std::string& name) const {
  constexpr std::string_view kModel = "model.";
  const std::string older = "language_model." + name;
  if (Find(older) != nullptr) return older;
  const bool is_inner = name.starts_with(kModel);
  const std::string newer = is_inner ? "model.language_model." + name.substr(kModel.size()) : name;
  return Find(newer) != nullptr ? newer : name;
}

GgufTensor HfTensors::Made(const std::string& name, std::vector<float> values) {
  const std::vector<float>& kept = floats_.emplace_back(std::move(values));
  GgufTensor tensor;
  tensor.name = names_.emplace_back(name);
  tensor.shape[0] = static_cast<int64_t>(kept.size());
  tensor.dims = 1;
  tensor.type = kTypeF32;
  tensor.bytes = static_cast<int64_t>(kept.size() * sizeof(float));
  tensor.data = reinterpret_cast<const std::byte*>(kept.data());
  return tensor;
}

GgufTensor HfTensors::Renamed(const std::string& name, const GgufTensor& tensor, bool adds_one) {
  const auto place = reinterpret_cast<uintptr_t>(tensor.data);
  GgufTensor renamed = tensor;
  if (place % static_cast<uintptr_t>(TypeBlockBytes(tensor.type)) != 0) {
    renamed.data = copies_.emplace_back(tensor.data, tensor.data + tensor.bytes).data();
  }
  if (adds_one && tensor.dims == 1) {
    std::vector<float> values(static_cast<size_t>(tensor.shape[0]));
    DequantizeRow(renamed.type, renamed.data, values.data(), tensor.shape[0]);
    for (float& value : values) value += 1.0F;
    return Made(name, std::move(values));
  }
  renamed.name = names_.emplace_back(name);
  return renamed;
}

Result<std::vector<GgufTensor>> HfTensors::Convert(const HfConfig& config,
                                                   std::unordered_map<std::string, std::string>& names) {
  const HfArchitecture& architecture = *config.architecture;
  std::vector<GgufTensor> converted;
  std::unordered_set<std::string> taken;
  const auto add = [&](const std::string& gguf, const std::string& plain_name) {
    const std::string name = architecture.has_images ? Locate(plain_name) : plain_name;
    const GgufTensor* tensor = Find(name);
    if (tensor == nullptr) {
      names.emplace(gguf, name);
      return;
    }
    taken.insert(name);
    names[gguf] = name;
    if (gguf == "output.weight" && config.tied) return;
    converted.push_back(Renamed(gguf, *tensor, architecture.norms_add_one && gguf.ends_with("norm.weight")));
  };
  for (const HfTensorName& tensor : HfModelTensors()) add(std::string(tensor.gguf), std::string(tensor.hf));
  if (!config.tied && Find(names["output.weight"]) == nullptr) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: tensor {} is missing, but tie_word_embeddings in config.json is "
                                                  "not true",
                                                  folder_, Quoted(names["output.weight"]))};
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    for (const auto table : {architecture.tensors, HfLayerTensors()}) {
      for (const HfTensorName& tensor : table) {
        add(fmt::format("blk.{}.{}", layer, tensor.gguf), fmt::format("model.layers.{}.{}", layer, tensor.hf));
      }
    }
  }
  for (const HfFactors& factors : config.factors) converted.push_back(Made(factors.tensor, factors.values));
  for (const auto& [name, tensor] : by_name_) {
    if (taken.contains(std::string(name)) || (architecture.has_images && IsOfImages(name))) continue;
    converted.push_back(*tensor);
  }
  return converted;
}

}  // namespace ltri
