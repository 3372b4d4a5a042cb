// The options of `ltri eval`, and what they name.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/data_file.h"
#include "cli/eval_run.h"
#include "cli/haystack_text.h"
#include "cli/option_types.h"
#include "cli/session_options.h"

namespace ltri {
namespace {

// What the shipped book is for: a haystack when there is nothing else.
std::string ShippedBook() {
  const Result<std::string> book = FindDataFile("moby-dick.txt");
  return book.ok() ? *book : "";
}

}  // namespace

void AddTargetOptions(CLI::App& app, EvalOptions& options) {
  AddModelOptions(app, options.model);
  AddMethodsOption(app, options.methods);
  constexpr const char* kServer = "Server";
  app.add_option("--server", options.server.url, "Ask an OpenAI-compatible server instead, by its address")
      ->type_name("URL")
      ->group(kServer);
  app.add_option("--server-model", options.server.model, "The model's name there")->type_name("NAME")->group(kServer);
  app.add_option("--api-key", options.server.key, "A key that the server wants")->type_name("KEY")->group(kServer);
  app.add_option("--timeout", options.server.timeout, "For one answer")
      ->check(AtLeast(1))
      ->type_name("SECONDS")
      ->group(kServer);
  AddSessionOptions(app, options.session);
}

void AddDataOptions(CLI::App& app, EvalOptions& options) {
  AddHaystackOption(app, options.texts);
  app.add_option("--data", options.data, "Folder with the benchmarks' files, texts and word lists (docs/evaluation.md)")
      ->type_name("FOLDER")
      ->group("Text");
  app.add_option("--seed", options.seed, "Of the samples")->check(AtLeast(0))->type_name("N")->group("Text");
  app.add_flag("--chat", options.chat, "Ask within the model's chat template, not as text to be continued")
      ->group("Text");
  app.add_option("--max-tokens", options.max_tokens, "Tokens of an answer at most (0: as the task says)")
      ->check(AtLeast(0))
      ->type_name("N")
      ->group("Text");
}

void AddReportOptions(CLI::App& app, EvalOptions& options) {
  constexpr const char* kOutput = "Output";
  app.add_option("-o,--output", options.output, "Folder for results.json, index.html and samples.jsonl")
      ->type_name("FOLDER")
      ->group(kOutput);
  app.add_flag("--resume", options.resume, "Go on with the run in that folder")->group(kOutput);
  app.add_flag("--json", options.json, "Print one JSON object instead of the table")->group(kOutput);
  app.add_flag("--mass", options.mass,
               "Measure too how much of dense attention was visible; reads each text densely once")
      ->group(kOutput);
  app.add_option("--write-samples", options.write, "Only write the samples to this file, as JSONL")
      ->type_name("FILE")
      ->group(kOutput);
}

Status AddSessionTarget(EvalSetup& setup, const std::string& name, const SessionOptions& session) {
  SessionTargetOptions target{name, session, SessionSettings(session), std::nullopt, setup.dense};
  target.settings["method"] = session.method;
  if (setup.context->chat) {
    Result<ChatFrame> frame = FindChatFrame(*setup.model);
    if (!frame.ok()) return frame.error();
    target.frame = std::move(*frame);
  }
  setup.targets.push_back(MakeSessionTarget(setup.model, std::move(target)));
  return {};
}

Result<EvalSetup> PrepareEval(const EvalOptions& options) {
  EvalSetup setup;
  const bool server = !options.server.url.empty();
  if (!server || options.model_given) {
    Result<std::shared_ptr<Model>> model = LoadModel(options.model);
    if (!model.ok()) return model.error();
    setup.model = std::move(*model);
  }
  TaskContext context;
  context.data = std::make_shared<DataFolder>(options.data, options.texts, ShippedBook());
  context.seed = options.seed;
  context.chat = options.chat;
  if (setup.model != nullptr) {
    context.meter = std::make_shared<ModelMeter>(setup.model);
  } else {
    context.meter = std::make_shared<ByteMeter>();
  }
  if (options.chat && setup.model != nullptr) {
    const Result<ChatFrame> frame = FindChatFrame(*setup.model);
    if (!frame.ok()) return frame.error();
    const Result<int64_t> tokens = context.meter->Count(frame->before + frame->after);
    if (!tokens.ok()) return tokens.error();
    context.frame_tokens = *tokens;
  }
  setup.context = std::make_shared<TaskContext>(std::move(context));
  if (server) {
    ServerOptions asked = options.server;
    asked.chat = options.chat;
    Result<std::unique_ptr<Target>> target = MakeServerTarget(std::move(asked));
    if (!target.ok()) return target.error();
    setup.targets.push_back(std::move(*target));
    return setup;
  }
  NoteUnknownHeads(*setup.model);
  setup.table = setup.model->info().head_table;
  if (options.mass) setup.dense = std::make_shared<DenseCache>();
  for (const std::string& method : options.methods) {
    SessionOptions session = options.session;
    session.method = method;
    if (Status status = AddSessionTarget(setup, method, session); !status.ok()) return status.error();
  }
  return setup;
}

}  // namespace ltri
