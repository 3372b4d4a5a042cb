#include "cli/eval.h"

#include <CLI/CLI.hpp>

namespace ltri {

void AddEvalCommand(CLI::App& app) {
  CLI::App* eval = app.add_subcommand("eval", "Measure methods on tasks with known answers");
  eval->require_subcommand(1);
  AddSuiteCommands(*eval);
  AddSamplesCommand(*eval);
  AddPerplexityCommand(*eval);
  AddAblateCommand(*eval);
  AddCompareCommand(*eval);
  AddNeedleCommand(*eval);
}

}  // namespace ltri
