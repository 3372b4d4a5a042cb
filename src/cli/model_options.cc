#include "cli/model_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/option_types.h"
#include "cli/size_option.h"

namespace ltri {

void AddThreadsOption(CLI::App& app, ModelChoice& choice) {
  app.add_option("--threads", choice.threads, "Threads that compute (without it: one a core)")
      ->check(Between(1, 1024))
      ->type_name("N")
      ->default_str("")
      ->group("Model");
}

void AddModelOptions(CLI::App& app, ModelChoice& choice) {
  app.add_option("-m,--model", choice.name,
                 "A GGUF file, a folder with safetensors files, or the name of a model that `ltri pull` fetched")
      ->type_name("NAME")
      ->group("Model");
  AddThreadsOption(app, choice);
  app.add_option("--device", choice.device, "What computes: cpu, or cuda in a build that has it")
      ->type_name("NAME")
      ->group("Model");
  AddSizeOption(app, "--device-memory", choice.device_memory,
                "Of the card for keys and values; RAM takes the rest (without it: what the weights leave)")
      ->group("Model");
}

Result<std::shared_ptr<Model>> LoadModel(const ModelChoice& choice) {
  ModelOptions options;
  options.threads = choice.threads;
  options.device = choice.device;
  options.device_memory = choice.device_memory;
  return Model::Load(choice.name, options);
}

void NoteUnknownHeads(const Model& model) {
  if (!model.info().head_table.empty()) return;
  fmt::print(stderr,
             "No head table: which heads of {} retrieve is not known, so all of them vote. `ltri head-profile` finds "
             "out once.\n",
             model.info().path);
}

}  // namespace ltri
