// What every suite of `ltri eval` does: options, targets, the run, its reports.
#ifndef LTRI_CLI_EVAL_RUN_H_
#define LTRI_CLI_EVAL_RUN_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/model_options.h"
#include "eval/run/target.h"
#include "eval/tasks/suites.h"

namespace CLI {
class App;
}

namespace ltri {

struct EvalOptions {
  ModelChoice model;
  bool model_given = false;  // with a server: its tokens count lengths
  std::vector<std::string> methods = {"dense", "streaming", "infllm", "ltri"};
  SessionOptions session;
  ServerOptions server;  // no URL: the engine in this process
  std::string data;
  std::vector<std::string> texts;
  uint64_t seed = 0;
  bool chat = false;
  SuiteSettings suite;
  int64_t max_tokens = 0;
  std::string output;
  bool resume = false;
  bool json = false;
  bool mass = false;  // measure the attention mass against dense
  std::string write;  // the samples go there, nothing is run
};

// Everything loaded that a run needs.
struct EvalSetup {
  std::shared_ptr<Model> model;  // null with a server alone
  std::vector<float> table;      // retrieval heads; may be empty
  std::shared_ptr<TaskContext> context;
  std::shared_ptr<DenseCache> dense;  // null: the attention mass is not measured
  std::vector<std::unique_ptr<Target>> targets;
};

// Groups of options; `options` must live as long as `app`.
void AddTargetOptions(CLI::App& app, EvalOptions& options);  // model, methods, server, session
void AddDataOptions(CLI::App& app, EvalOptions& options);    // data, texts, seed, chat
void AddReportOptions(CLI::App& app, EvalOptions& options);  // output, resume, json, write

// The targets that --methods or --server name. AddSessionTarget adds one more of the engine.
Result<EvalSetup> PrepareEval(const EvalOptions& options);
Status AddSessionTarget(EvalSetup& setup, const std::string& name, const SessionOptions& session);

// Makes the plan, asks, prints the table, writes the folder. `title`: "ltri eval ruler".
using PlanMaker = std::function<Result<Plan>(const ContextPtr&)>;
Status RunEval(const EvalOptions& options, EvalSetup& setup, const std::string& title, const PlanMaker& make_plan);

}  // namespace ltri

#endif  // LTRI_CLI_EVAL_RUN_H_
