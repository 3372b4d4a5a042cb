#include "cli/eval_run.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/progress.h"
#include "eval/report/html_report.h"
#include "eval/report/text_table.h"
#include "eval/run/runner.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

// What a run is: the same for it to be resumed.
Json DescribeRun(const EvalOptions& options, const EvalSetup& setup, const std::string& title) {
  Json run = {{"eval", title},
              {"model", setup.model != nullptr ? Json(setup.model->info().path) : Json()},
              {"lengths_by", setup.context->meter->name()},
              {"seed", options.seed},
              {"chat", options.chat},
              {"max_tokens", options.max_tokens},
              {"mass", options.mass},
              {"data", options.data},
              {"texts", options.texts}};
  run["head_table"] = !setup.table.empty();
  run["targets"] = Json::object();
  for (const auto& target : setup.targets) run["targets"][target->name()] = target->Settings();
  return run;
}

std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

Status WriteSamples(const Plan& plan, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  ProgressLine line("samples");
  int64_t done = 0;
  for (const PlannedSample& planned : plan.samples) {
    const Result<Sample> sample = planned.make();
    if (!sample.ok()) return sample.error();
    file << Dump(SampleJson(*sample), -1);
    line.Show("writing", {++done, static_cast<int64_t>(plan.samples.size()), 0});
    if (Interrupt::Requested()) return Error{ErrorCode::kCancelled, fmt::format("stopped after {} samples", done)};
  }
  line.Clear();
  file.close();
  if (!file) return Error{ErrorCode::kIo, fmt::format("{}: cannot write the samples", path)};
  return Print(fmt::format("{} samples written to {}\n", done, path));
}

std::string StateLine(const RunState& state) {
  std::string line = fmt::format("{}/{}", state.done, state.total);
  if (state.seconds_left >= 0) line += fmt::format("  {} left", TimeText(static_cast<int64_t>(state.seconds_left)));
  return ProgressText(line + fmt::format("  {}, {}", state.task, state.target), "tokens", state.sample);
}

// Prints the rows of the table as they are finished.
class TablePrinter {
 public:
  TablePrinter(bool silent, ProgressLine& line) : silent_(silent), line_(line) {}

  void Cell(const std::vector<Record>& records) {
    if (silent_ || records.empty()) return;
    line_.Clear();
    std::vector<const Record*> pointers;
    pointers.reserve(records.size());
    for (const Record& record : records) pointers.push_back(&record);
    const Record& first = records.front();
    if (IsStandIn(first.source)) stand_ins_ = true;
    const TaskFigures row{first.target, first.task, first.source, first.length, FiguresOf(pointers)};
    const std::string head = rows_++ == 0 ? TaskTableHead() : "";
    if (printed_.ok()) printed_ = Print(head + TaskTableLine(row));
  }

  Status End(const EvalReport& report) {
    line_.Clear();
    if (silent_ || !printed_.ok()) return printed_;
    std::string text = "\n" + SummaryTable(report.summary);
    if (!report.needle_bench.empty()) text += "\n" + NeedleBenchTable(report.needle_bench);
    if (stand_ins_)
      text += "\n* made from texts that stand in for the benchmark's own: not to be compared with published figures\n";
    for (const SkippedTask& task : report.skipped) text += fmt::format("Skipped {}: {}\n", task.task, task.reason);
    return Print(text);
  }

 private:
  bool silent_;
  ProgressLine& line_;
  int64_t rows_ = 0;
  bool stand_ins_ = false;
  Status printed_;
};

Status AskAll(const EvalOptions& options, const EvalSetup& setup, const Plan& plan, ProgressLine& line,
              TablePrinter& printer, ResultsStore& store) {
  RunOptions running;
  running.max_tokens = options.max_tokens;
  running.table = setup.table;
  running.model = setup.model != nullptr && options.server.url.empty() ? &setup.model->info() : nullptr;
  running.watch = [&](const RunState& state) {
    line.Show([&] { return StateLine(state); });
    return !Interrupt::Requested();
  };
  running.cell_done = [&](const std::vector<Record>& records) { printer.Cell(records); };
  return RunPlan(plan, setup.targets, running, store);
}

EvalReport ReportOf(const EvalSetup& setup, const std::string& title, Json run, const Plan& plan,
                    const ResultsStore& store, bool complete) {
  std::vector<std::string> names;
  names.reserve(setup.targets.size());
  for (const auto& target : setup.targets) names.push_back(target->name());
  EvalReport report;
  report.title = title;
  report.run = std::move(run);
  report.summary = Summarize(store.records(), names, setup.model != nullptr ? setup.model->info().heads : 0);
  report.needle_bench = NeedleBenchScores(report.summary);
  report.skipped = plan.skipped;
  report.complete = complete;
  return report;
}

Status SaveReport(const std::string& folder, const EvalReport& report) {
  if (folder.empty()) return {};
  const std::filesystem::path path = folder;
  if (Status saved = SaveText(path / "results.json", Dump(ResultsJson(report), 1)); !saved.ok()) return saved;
  return SaveText(path / "index.html", HtmlReport(report));
}

}  // namespace

Status RunEval(const EvalOptions& options, EvalSetup& setup, const std::string& title, const PlanMaker& make_plan) {
  const Interrupt interrupt;
  Result<Plan> plan = make_plan(setup.context);
  if (!plan.ok()) return plan.error();
  if (plan->samples.empty()) {
    return Error{
        ErrorCode::kNotFound,
        fmt::format("nothing to ask: {}", plan->skipped.empty() ? "no task is left" : plan->skipped[0].reason)};
  }
  if (!options.write.empty()) return WriteSamples(*plan, options.write);
  const Json run = DescribeRun(options, setup, title);
  ResultsStore store;
  if (!options.output.empty()) {
    Result<ResultsStore> opened = ResultsStore::Open(options.output, run, options.resume);
    if (!opened.ok()) return opened.error();
    store = std::move(*opened);
  }
  ProgressLine line;
  TablePrinter printer(options.json, line);
  const Status status = AskAll(options, setup, *plan, line, printer, store);
  line.Clear();
  const EvalReport report = ReportOf(setup, title, run, *plan, store, status.ok());
  if (Status saved = SaveReport(options.output, report); !saved.ok()) return saved;
  if (!status.ok()) {
    if (options.output.empty()) return status;
    return Error{status.error().code,
                 fmt::format("{}; what was answered is kept: --resume goes on", status.error().message)};
  }
  return options.json ? Print(Dump(ResultsJson(report), -1)) : printer.End(report);
}

}  // namespace ltri
