// results.json: what a run found, for programs. docs/evaluation.md has the fields.
#ifndef LTRI_EVAL_REPORT_RESULTS_JSON_H_
#define LTRI_EVAL_REPORT_RESULTS_JSON_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/report/needle_bench_score.h"
#include "eval/report/summary.h"
#include "eval/tasks/plan.h"

namespace ltri {

// All that a report shows.
struct EvalReport {
  std::string title;           // "ltri eval ruler"
  nlohmann::ordered_json run;  // what was run: suite, model, tokens by whom, settings of the targets
  Summary summary;
  std::vector<NeedleBenchScore> needle_bench;  // empty when the suite was not run
  std::vector<SkippedTask> skipped;
  bool complete = false;  // false: stopped, to be resumed
};

nlohmann::ordered_json ResultsJson(const EvalReport& report);

}  // namespace ltri

#endif  // LTRI_EVAL_REPORT_RESULTS_JSON_H_
