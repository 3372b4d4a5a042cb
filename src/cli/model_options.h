// Which model a command loads, and with how many threads.
#ifndef LTRI_CLI_MODEL_OPTIONS_H_
#define LTRI_CLI_MODEL_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "ltri/model.h"

namespace CLI {
class App;
}

namespace ltri {

struct ModelChoice {
  std::string name = "smollm2";  // or a path
  int threads = 0;               // 0: one a core
  std::string device = "cpu";    // or cuda
  int64_t device_memory = 0;     // bytes; 0: what the weights leave
};

// --model, --threads, --device and --device-memory. `choice` must live as long as `app`.
void AddModelOptions(CLI::App& app, ModelChoice& choice);
void AddThreadsOption(CLI::App& app, ModelChoice& choice);

Result<std::shared_ptr<Model>> LoadModel(const ModelChoice& choice);

// A line on standard error when it is not known which of the model's heads retrieve.
void NoteUnknownHeads(const Model& model);

}  // namespace ltri

#endif  // LTRI_CLI_MODEL_OPTIONS_H_
