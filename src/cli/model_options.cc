#include "cli/model_options.h"

#include <CLI/CLI.hpp>

#include "cli/option_types.h"

namespace ltri {

void AddThreadsOption(CLI::App& app, ModelChoice& choice) {
  app.add_option("--threads", choice.threads, "Threads that compute (without it: one a core)")
      ->check(Between(1, 1024))
      ->type_name("N")
      ->default_str("")
      ->group("Model");
}

void AddModelOptions(CLI::App& app, ModelChoice& choice) {
  app.add_option("-m,--model", choice.name, "A GGUF file, or the name of a model that `ltri pull` fetched")
      ->type_name("NAME")
      ->group("Model");
  AddThreadsOption(app, choice);
}

Result<std::shared_ptr<Model>> LoadModel(const ModelChoice& choice) {
  ModelOptions options;
  options.threads = choice.threads;
  return Model::Load(choice.name, options);
}

}  // namespace ltri
