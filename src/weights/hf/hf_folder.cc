#include "weights/hf/hf_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "weights/gguf_writer.h"
#include "weights/hf/hf_config.h"
#include "weights/hf/hf_tensors.h"
#include "weights/hf/hf_vocabulary.h"

namespace ltri {
namespace {

// What the file's views point into.
struct Storage {
  explicit Storage(HfTensors opened) : tensors(std::move(opened)) {}

  HfTensors tensors;
  std::vector<std::byte> header;
};

}  // namespace

bool IsHfFolder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path + "/config.json", ignored);
}

Result<GgufFile> OpenHfFolder(const std::string& folder) {
  GgufWriter header;
  Result<HfConfig> config = ReadHfConfig(folder, header);
  if (!config.ok()) return config.error();
  Result<HfTensors> opened = HfTensors::Open(folder);
  if (!opened.ok()) return opened.error();
  const auto storage = std::make_shared<Storage>(*std::move(opened));
  GgufFile::Parts parts;
  Result<std::vector<GgufTensor>> tensors = storage->tensors.Convert(*config, config->names);
  if (!tensors.ok()) return tensors.error();
  const auto embedding = std::find_if(tensors->begin(), tensors->end(),
                                      [](const GgufTensor& tensor) { return tensor.name == "token_embd.weight"; });
  if (embedding != tensors->end()) {  // without it, those who read the file will say so
    if (Status status = AddHfVocabulary(folder, config->json, embedding->shape[1], header); !status.ok()) {
      return status.error();
    }
  }
  storage->header = header.Finish();
  parts.header = storage->header;
  parts.tensors = *std::move(tensors);
  parts.bytes = storage->tensors.bytes();
  parts.names = std::move(config->names);
  return GgufFile::Assemble(std::move(parts), folder, storage);
}

}  // namespace ltri
