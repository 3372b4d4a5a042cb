#include "weights/model_file.h"

#include "weights/hf/hf_folder.h"

namespace ltri {

Result<GgufFile> OpenModelFile(const std::string& path) {
  return IsHfFolder(path) ? OpenHfFolder(path) : GgufFile::Open(path);
}

Result<LoadedModel> LoadModelFile(const std::string& path) {
  const Result<GgufFile> file = OpenModelFile(path);
  if (!file.ok()) return file.error();
  return LoadGguf(*file);
}

}  // namespace ltri
