#include "eval/report/results_json.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

Json OrNull(double value) { return value < 0 ? Json() : Json(value); }

void AddFigures(const Figures& figures, Json& json) {
  json["samples"] = figures.count;
  json["score"] = figures.score;
  json["score_low"] = figures.interval.low;
  json["score_high"] = figures.interval.high;
  json["recall_first"] = OrNull(figures.recall_first);
  json["recall"] = OrNull(figures.recall);
  json["mass"] = OrNull(figures.mass);
  json["evidence"] = {{"known", figures.use.known},
                      {"found_and_used", figures.use.found_and_used},
                      {"found_not_used", figures.use.found_not_used},
                      {"not_found", figures.use.not_found},
                      {"right_all_the_same", figures.use.right_all_the_same}};
  json["prefill_tokens_per_second"] = figures.prefill_rate;
  json["decode_tokens_per_second"] = figures.decode_rate;
  json["key_value_bytes"] = figures.key_value_bytes;
  json["index_bytes"] = figures.index_bytes;
}

Json SummaryJson(const Summary& summary) {
  Json rows = Json::array();
  for (const TargetFigures& target : summary.targets) {
    Json row = {{"method", target.target}, {"tasks", target.tasks}};
    AddFigures(target.figures, row);
    row["layer_recall"] = target.layer_recall;
    rows.push_back(std::move(row));
  }
  return rows;
}

Json TasksJson(const Summary& summary) {
  Json rows = Json::array();
  for (const TaskFigures& task : summary.tasks) {
    Json row = {{"method", task.target}, {"task", task.task}, {"source", task.source}, {"tokens", task.length}};
    AddFigures(task.figures, row);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

Json ResultsJson(const EvalReport& report) {
  Json json = {{"eval", report.title}, {"complete", report.complete}, {"run", report.run}};
  json["summary"] = SummaryJson(report.summary);
  json["tasks"] = TasksJson(report.summary);
  json["depths"] = Json::array();
  for (const DepthFigures& cell : report.summary.depths) {
    json["depths"].push_back({{"method", cell.target},
                              {"task", cell.task},
                              {"tokens", cell.length},
                              {"depth", cell.depth},
                              {"samples", cell.count},
                              {"score", cell.score}});
  }
  if (!report.needle_bench.empty()) {
    json["needlebench"] = Json::array();
    for (const NeedleBenchScore& score : report.needle_bench) {
      json["needlebench"].push_back({{"method", score.target},
                                     {"single_retrieval", OrNull(score.single)},
                                     {"multi_retrieval", OrNull(score.multi)},
                                     {"multi_reasoning", OrNull(score.reasoning)},
                                     {"overall", OrNull(score.overall)},
                                     {"ancestral_trace_to_64", OrNull(score.trace_short)},
                                     {"ancestral_trace", OrNull(score.trace)},
                                     {"effective_needles", score.effective_needles}});
    }
  }
  json["skipped"] = Json::array();
  for (const SkippedTask& task : report.skipped) {
    json["skipped"].push_back({{"task", task.task}, {"reason", task.reason}});
  }
  return json;
}

}  // namespace ltri
