// A model as it lies on disk: a GGUF file, or a folder with safetensors files as model hubs have them.
#ifndef LTRI_WEIGHTS_MODEL_FILE_H_
#define LTRI_WEIGHTS_MODEL_FILE_H_

#include <string>

#include "ltri/result.h"
#include "weights/gguf_model.h"

namespace ltri {

// Errors: those of GgufFile::Open and OpenHfFolder.
Result<GgufFile> OpenModelFile(const std::string& path);

// The same with LoadGguf's checks.
Result<LoadedModel> LoadModelFile(const std::string& path);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_MODEL_FILE_H_
