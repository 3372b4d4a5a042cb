// `ltri eval ablate`: the method with one decision switched at a time, over the same samples.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>

#include "cli/command.h"
#include "cli/eval.h"
#include "cli/eval_run.h"
#include "cli/option_types.h"
#include "cli/session_options.h"
#include "eval/ablation.h"
#include "eval/head_profile.h"

namespace ltri {
namespace {

struct AblateOptions : EvalOptions {
  std::vector<std::string> rows;  // empty: all
};

// Tasks in which what is to be found is known, by suite.
Result<Plan> PlanOf(const ContextPtr& context, const SuiteSettings& settings) {
  SuiteSettings ruler = settings;
  SuiteSettings infinite = settings;
  ruler.tasks.clear();
  infinite.tasks.clear();
  for (const std::string& task : settings.tasks) {
    const bool of_infinite = task == "passkey" || task == "number_string" || task == "kv_retrieval";
    (of_infinite ? infinite : ruler).tasks.push_back(task);
  }
  Plan plan;
  const auto add = [&](Result<Plan> part) -> Status {
    if (!part.ok()) return part.error();
    std::move(part->samples.begin(), part->samples.end(), std::back_inserter(plan.samples));
    std::move(part->skipped.begin(), part->skipped.end(), std::back_inserter(plan.skipped));
    return {};
  };
  if (!ruler.tasks.empty()) {
    if (Status status = add(PlanRuler(context, ruler)); !status.ok()) return status.error();
  }
  if (!infinite.tasks.empty()) {
    if (Status status = add(PlanInfiniteBench(context, infinite)); !status.ok()) return status.error();
  }
  return plan;
}

Status CheckRows(const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  names.reserve(AblationRows().size());
  for (const AblationRow& row : AblationRows()) names.push_back(row.name);
  for (const std::string& name : wanted) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    return Error{ErrorCode::kInvalidArgument, fmt::format("--rows: '{}' is none of {}", name, fmt::join(names, ", "))};
  }
  return {};
}

Status Ablate(AblateOptions& options) {
  if (Status status = CheckRows(options.rows); !status.ok()) return status;
  options.methods.clear();  // the rows name them
  Result<EvalSetup> setup = PrepareEval(options);
  if (!setup.ok()) return setup.error();
  std::vector<SkippedTask> skipped;
  for (const AblationRow& row : AblationRows()) {
    const bool wanted = std::find(options.rows.begin(), options.rows.end(), row.name) != options.rows.end();
    if (!options.rows.empty() && !wanted) continue;
    SessionOptions session = options.session;
    session.method = "ltri";
    row.change(session);
    if (WantsHeadTable(session) && setup->table.empty()) {
      skipped.push_back({row.name, "the model has no head table; `ltri head-profile` makes one"});
      continue;
    }
    if (Status status = AddSessionTarget(*setup, row.name, session); !status.ok()) return status;
  }
  return RunEval(options, *setup, "ltri eval ablate", [&](const ContextPtr& context) {
    Result<Plan> plan = PlanOf(context, options.suite);
    if (plan.ok()) plan->skipped.insert(plan->skipped.end(), skipped.begin(), skipped.end());
    return plan;
  });
}

}  // namespace

void AddAblateCommand(CLI::App& eval) {
  auto options = std::make_shared<AblateOptions>();
  options->suite.tasks = {"niah_single_2", "niah_multikey_1", "niah_multivalue", "niah_multiquery", "kv_retrieval"};
  options->suite.lengths = {8192};
  options->session.prefill = Prefill::kStream;
  CLI::App* command = eval.add_subcommand("ablate", "Switch one decision of the method at a time");
  AddModelOptions(*command, options->model);
  AddSessionOptions(*command, options->session);
  const auto list = [&](const char* name, std::vector<std::string>& values, const char* help) {
    command->add_option(name, values, help)
        ->delimiter(',')
        ->type_name("NAME,...")
        ->default_str(fmt::format("{}", fmt::join(values, ",")))
        ->group("Text");
  };
  list("--rows", options->rows, "Only these rows");
  list("--tasks", options->suite.tasks, "Tasks of RULER, passkey, number_string, kv_retrieval");
  command->add_option("--tokens", options->suite.lengths, "Lengths of the prompts with their answers")
      ->delimiter(',')
      ->check(AtLeast(1))
      ->type_name("TOKENS,...")
      ->default_str("8192")
      ->group("Text");
  command->add_option("--samples", options->suite.samples, "For each task and length")
      ->check(AtLeast(1))
      ->type_name("N")
      ->group("Text");
  AddDataOptions(*command, *options);
  AddReportOptions(*command, *options);
  command->callback([options] {
    if (const Status status = Ablate(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
