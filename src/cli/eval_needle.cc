// `ltri eval needle`: a number hidden in a long text, asked for at its end.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/eval.h"
#include "cli/haystack_text.h"
#include "cli/model_options.h"
#include "cli/needle_report.h"
#include "cli/option_types.h"
#include "cli/progress.h"
#include "cli/session_options.h"
#include "eval/head_profile.h"

namespace ltri {
namespace {

constexpr int64_t kMarginFront = 128;
constexpr int64_t kQuestionRoom = 160;  // tokens of question and answer, at most
constexpr uint64_t kSeedStep = 1000;    // seeds of prompts do not meet

struct NeedleEvalOptions {
  ModelChoice model;
  std::vector<std::string> texts;
  std::vector<std::string> methods = {"dense", "streaming", "infllm", "ltri"};
  std::vector<int64_t> tokens = {4000};
  int64_t prompts = 10;
  int64_t first = 1;
  double depth = -1;
  uint64_t seed = 0;
  SessionOptions session;
  bool json = false;
  std::string output;
};

struct Bench {
  std::shared_ptr<Model> model;
  Haystack haystack;
};

Result<Bench> Prepare(const NeedleEvalOptions& options) {
  Result<std::shared_ptr<Model>> model = LoadModel(options.model);
  if (!model.ok()) return model.error();
  Result<Haystack> haystack = LoadHaystack(**model, options.texts);
  if (!haystack.ok()) return haystack.error();
  NoteUnknownHeads(**model);
  return Bench{*model, std::move(*haystack)};
}

// The same prompts for every method; random places lie outside sinks and window.
NeedleOptions PromptOptions(const NeedleEvalOptions& options, int64_t tokens, int64_t index) {
  NeedleOptions needle;
  needle.tokens = tokens;
  needle.seed = options.seed * kSeedStep + static_cast<uint64_t>(index);
  needle.depth = options.depth;
  needle.margin_front = std::max(kMarginFront, options.session.sinks);
  needle.margin_back = options.session.block + options.session.window + kQuestionRoom;
  return needle;
}

// Refuses lengths that leave no place for the needle before anything is measured.
Status CheckLengths(const NeedleEvalOptions& options) {
  if (options.depth >= 0) return {};
  for (const int64_t tokens : options.tokens) {
    const NeedleOptions needle = PromptOptions(options, tokens, 0);
    const int64_t least = needle.margin_front + needle.margin_back + kQuestionRoom;
    if (tokens >= least) continue;
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("--tokens is {}, but outside sinks, window and block there is room for a needle only from "
                             "{} tokens on; take a smaller --window or --block, or place it with --depth",
                             tokens, least)};
  }
  return {};
}

Result<NeedleGroup> RunGroup(const Bench& bench, const NeedleEvalOptions& options, const std::string& method,
                             int64_t tokens) {
  NeedleGroup group{options.session, tokens, {}};
  group.session.method = method;
  ProgressLine line;
  for (int64_t i = 0; i < options.prompts; ++i) {
    const int64_t index = options.first - 1 + i;
    Result<NeedlePrompt> prompt = bench.haystack.MakePrompt(*bench.model, PromptOptions(options, tokens, index));
    if (!prompt.ok()) return prompt.error();
    const std::string label = fmt::format("{}, prompt {} of {}", method, i + 1, options.prompts);
    Result<NeedleTrial> trial =
        RunNeedle(bench.model, group.session, *prompt, bench.model->info().head_table, line.Callback(label));
    if (!trial.ok()) return trial.error();
    if (Interrupt::Requested()) {
      return Error{ErrorCode::kCancelled, fmt::format("stopped after {} of {} prompts", i + 1, options.prompts)};
    }
    group.rows.push_back({std::move(*prompt), std::move(*trial)});
  }
  return group;
}

Status EvalNeedle(const NeedleEvalOptions& options) {
  const Interrupt interrupt;
  if (Status status = CheckLengths(options); !status.ok()) return status;
  const Result<Bench> bench = Prepare(options);
  if (!bench.ok()) return bench.error();
  // Found out before hours of work, not after.
  if (!options.output.empty()) {
    if (Status status = SaveText(options.output, ""); !status.ok()) return status;
  }
  std::vector<NeedleGroup> groups;
  for (const int64_t tokens : options.tokens) {
    for (const std::string& method : options.methods) {
      Result<NeedleGroup> group = RunGroup(*bench, options, method, tokens);
      if (!group.ok()) return group.error();
      groups.push_back(std::move(*group));
      if (options.json) continue;
      const std::string head = groups.size() == 1 ? NeedleTableHead() : "";
      if (Status status = Print(head + NeedleTableLine(groups.back())); !status.ok()) return status;
    }
  }
  const std::string json =
      NeedleJson(bench->model->info(), groups).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
      "\n";
  if (!options.output.empty()) {
    if (Status status = SaveText(options.output, json); !status.ok()) return status;
  }
  return options.json ? Print(json) : Status();
}

void AddTaskOptions(CLI::App& command, NeedleEvalOptions& options) {
  AddHaystackOption(command, options.texts);
  command.add_option("--tokens", options.tokens, "Lengths of the prompts, one or several")
      ->delimiter(',')
      ->check(AtLeast(1))
      ->type_name("TOKENS,...")
      ->default_str("4000")
      ->group("Text");
  command.add_option("--prompts", options.prompts, "Prompts for each length")
      ->check(AtLeast(1))
      ->type_name("N")
      ->group("Text");
  command.add_option("--first", options.first, "The first prompt's number, to repeat some of a longer run")
      ->check(AtLeast(1))
      ->type_name("N")
      ->group("Text");
  command
      .add_option("--depth", options.depth,
                  "Where the needle lies, 0 start to 1 end (without it: anywhere outside "
                  "sinks and window)")
      ->check(Between(0, 1))
      ->type_name("0..1")
      ->default_str("")
      ->group("Text");
  command.add_option("--seed", options.seed, "Of the prompts")->check(AtLeast(0))->type_name("N")->group("Text");
}

}  // namespace

void AddNeedleCommand(CLI::App& eval) {
  auto options = std::make_shared<NeedleEvalOptions>();
  CLI::App* command = eval.add_subcommand("needle", "A number hidden in a long text, asked for at its end");
  AddModelOptions(*command, options->model);
  AddTaskOptions(*command, *options);
  AddMethodsOption(*command, options->methods);
  command->add_flag("--json", options->json, "Print one JSON object instead of the table")->group("Output");
  command->add_option("-o,--output", options->output, "Write that object to a file too")
      ->type_name("FILE")
      ->group("Output");
  AddSessionOptions(*command, options->session);
  command->callback([options] {
    if (const Status status = EvalNeedle(*options); !status.ok()) Fail(status.error());
  });
}

}  // namespace ltri
