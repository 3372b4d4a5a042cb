// `ltri eval niah`, `ruler`, ...: one command a suite. `ltri eval samples`: from a file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/eval.h"
#include "cli/eval_run.h"
#include "cli/option_types.h"

namespace ltri {
namespace {

template <typename T>
CLI::Option* AddList(CLI::App& app, const char* name, std::vector<T>& values, const char* type, const char* help) {
  return app.add_option(name, values, help)
      ->delimiter(',')
      ->type_name(type)
      ->default_str(fmt::format("{}", fmt::join(values, ",")))
      ->group("Text");
}

void AddSuiteOptions(CLI::App& app, EvalOptions& options) {
  SuiteSettings& suite = options.suite;
  AddList(app, "--tokens", suite.lengths, "TOKENS,...", "Lengths of the prompts with their answers; 0: as in the files")
      ->check(AtLeast(0));
  AddList(app, "--tasks", suite.tasks, "NAME,...", "Only these tasks");
  app.add_option("--samples", suite.samples, "For each task, length and depth")
      ->check(AtLeast(1))
      ->type_name("N")
      ->group("Text");
  if (!suite.depths.empty()) {
    AddList(app, "--depths", suite.depths, "0..1,...", "Where the needle lies: 0 start, 1 end")->check(Between(0, 1));
  }
}

// The model's options say whether they were given only after the parsing.
bool ModelGiven(const CLI::App& app) { return app.get_option("--model")->count() > 0; }

void AddSuite(CLI::App& eval, const Suite& suite) {
  auto options = std::make_shared<EvalOptions>();
  options->suite = suite.defaults;
  if (suite.name == "quick") {
    // At 4,096 tokens a larger window would leave little to be found.
    options->session.window = 512;
    options->session.budget = 512;
    options->session.prefill = Prefill::kStream;
  }
  CLI::App* command = eval.add_subcommand(suite.name, suite.help);
  AddTargetOptions(*command, *options);
  AddSuiteOptions(*command, *options);
  AddDataOptions(*command, *options);
  if (suite.name == "niah") {
    command->add_option("--needles", options->suite.needles, "Needles of your own, as JSONL (docs/evaluation.md)")
        ->type_name("FILE")
        ->group("Text");
  }
  if (suite.name == "needlebench") {
    AddList(*command, "--languages", options->suite.languages, "NAME,...", "Of needles and texts: en, zh")
        ->check(CLI::IsMember({"en", "zh"}));
  }
  AddReportOptions(*command, *options);
  command->callback([options, command, &suite] {
    options->model_given = ModelGiven(*command);
    const auto run = [&]() -> Status {
      Result<EvalSetup> setup = PrepareEval(*options);
      if (!setup.ok()) return setup.error();
      return RunEval(*options, *setup, "ltri eval " + suite.name,
                     [&](const ContextPtr& context) { return suite.plan(context, options->suite); });
    };
    if (const Status status = run(); !status.ok()) Fail(status.error());
  });
}

// Samples as --write-samples writes them, or as RULER's scripts do.
Result<Plan> PlanOfFile(const std::string& path) {
  const auto rows = DataFolder::ReadJsonl(path);
  if (!rows.ok()) return rows.error();
  Plan plan;
  for (size_t i = 0; i < rows->size(); ++i) {
    Result<Sample> sample = SampleFromJson((*rows)[i]);
    if (!sample.ok())
      return Error{sample.error().code, fmt::format("{}, line {}: {}", path, i + 1, sample.error().message)};
    if (sample->task.empty()) sample->task = "samples";
    if (sample->source.empty()) sample->source = "file: " + path;
    if (sample->scorer.empty()) sample->scorer = "string_match_all";
    if (sample->max_tokens == 0) sample->max_tokens = 128;
    plan.samples.push_back({sample->task, sample->length, SampleId(*sample), [sample = *sample] { return sample; }});
  }
  return plan;
}

}  // namespace

void AddSuiteCommands(CLI::App& eval) {
  for (const Suite& suite : Suites()) AddSuite(eval, suite);
}

void AddSamplesCommand(CLI::App& eval) {
  struct SamplesOptions : EvalOptions {
    std::string file;
  };
  auto options = std::make_shared<SamplesOptions>();
  CLI::App* command = eval.add_subcommand("samples", "Samples from a file, as --write-samples writes them");
  command->add_option("file", options->file, "JSONL")->required()->type_name("FILE");
  AddTargetOptions(*command, *options);
  AddDataOptions(*command, *options);
  AddReportOptions(*command, *options);
  command->callback([options, command] {
    options->model_given = ModelGiven(*command);
    const auto run = [&]() -> Status {
      Result<EvalSetup> setup = PrepareEval(*options);
      if (!setup.ok()) return setup.error();
      return RunEval(*options, *setup, "ltri eval samples",
                     [&](const ContextPtr&) { return PlanOfFile(options->file); });
    };
    if (const Status status = run(); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
