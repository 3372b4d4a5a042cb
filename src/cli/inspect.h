// `ltri inspect FILE`: what a model file holds and what a session with it costs.
#ifndef LTRI_CLI_INSPECT_H_
#define LTRI_CLI_INSPECT_H_

#include <string>

#include "ltri/result.h"

namespace CLI {
class App;
}

namespace ltri {

struct InspectOptions {
  std::string file;      // path, or the name of a stored model
  bool tensors = false;  // list every tensor
  bool json = false;
};

// The text to print.
Result<std::string> Inspect(const InspectOptions& options);

// Registers the command; it throws CLI::RuntimeError(1) when the file cannot be read.
void AddInspectCommand(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_INSPECT_H_
