// The model store: the folder where `ltri pull` puts models, and how a name becomes a file.
//
// The folder is $LTRI_MODELS, or $XDG_DATA_HOME/ltri/models, or ~/.local/share/ltri/models. The model NAME is the file
// NAME.gguf in it, or the folder NAME with a config.json; a name may hold slashes ("owner/name"), which are folders.
#ifndef LTRI_WEIGHTS_MODEL_STORE_H_
#define LTRI_WEIGHTS_MODEL_STORE_H_

#include <string>
#include <vector>

#include "ltri/result.h"

namespace ltri {

// Error kNotFound when none of the variables, nor HOME, is set.
Result<std::string> ModelFolder();

// The path at which the model of this name lies or will lie. Error kInvalidArgument for a name that could leave the
// folder ("..", "/x") or is empty.
Result<std::string> StoredModelPath(const std::string& name);

// Where a model lies: `name_or_path` itself when it is a file or a folder with a config.json, or else the stored model
// of that name, with or without ".gguf". Error kNotFound lists what is installed.
Result<std::string> ResolveModel(const std::string& name_or_path);

// The names of all stored models, sorted; empty when there is no folder.
std::vector<std::string> InstalledModels();

}  // namespace ltri

#endif  // LTRI_WEIGHTS_MODEL_STORE_H_
