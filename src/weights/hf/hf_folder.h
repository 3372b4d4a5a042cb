// A model folder as model hubs have them: config.json, tokenizer.json, model.safetensors (or several, with an index).
#ifndef LTRI_WEIGHTS_HF_HF_FOLDER_H_
#define LTRI_WEIGHTS_HF_HF_FOLDER_H_

#include <string>

#include "ltri/result.h"
#include "weights/gguf_file.h"

namespace ltri {

// Whether `path` is a folder that has a config.json.
bool IsHfFolder(const std::string& path);

// The folder as the GGUF file that its conversion would be. Weights are mapped and stay where they are, but for norms
// that are stored less one, and for tensors that begin at an odd address. Errors name the file and the tensor or field.
Result<GgufFile> OpenHfFolder(const std::string& folder);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HF_HF_FOLDER_H_
