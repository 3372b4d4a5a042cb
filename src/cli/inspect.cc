#include "cli/inspect.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/inspect_report.h"
#include "weights/head_table.h"
#include "weights/model_file.h"
#include "weights/model_store.h"

namespace ltri {

Result<std::string> Inspect(const InspectOptions& options) {
  const auto path = ResolveModel(options.file);
  if (!path) return path.error();
  const auto file = OpenModelFile(*path);
  if (!file) return file.error();
  // Loads everything, so that what inspect accepts also runs.
  const auto model = LoadGguf(*file);
  if (!model) return model.error();
  ModelInfo info;
  info.path = *path;
  info.layers = model->config.layers;
  info.heads = model->config.heads;
  info.weights_id = WeightsId(model->weights);
  const auto table = FindHeadTable(info);
  if (!table) return table.error();
  const InspectReport report = MakeInspectReport(*file, model->config, *table);
  return options.json ? FormatJson(report, options.tensors) : FormatText(report, options.tensors);
}

void AddInspectCommand(CLI::App& app) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Show what a model file holds and what a session with it costs");
  command
      ->add_option("FILE", options->file,
                   "Model: a GGUF file, a folder with safetensors files, or the name of a stored one")
      ->required();
  command->add_flag("--tensors", options->tensors, "List every tensor");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->callback([options] {
    const auto text = Inspect(*options);
    if (!text) {
      fmt::print(stderr, "ltri: {}\n", text.error().message);
      throw CLI::RuntimeError(1);
    }
    fmt::print("{}", *text);
  });
}

}  // namespace ltri
