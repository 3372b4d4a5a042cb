// Runner: asks every target every sample of a plan, and keeps the records.
#ifndef LTRI_EVAL_RUN_RUNNER_H_
#define LTRI_EVAL_RUN_RUNNER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "eval/run/results_store.h"
#include "eval/run/target.h"
#include "eval/tasks/plan.h"

namespace ltri {

// Where a run is.
struct RunState {
  int64_t done = 0;          // answers, those of an earlier run included
  int64_t total = 0;         // of all targets
  double seconds_left = -1;  // by the answers of this run; < 0: not known yet
  std::string target;
  std::string task;
  Progress sample;  // of the one that is read
};

struct RunOptions {
  int64_t max_tokens = 0;                      // at most so many of an answer; 0: as the task says
  std::vector<float> table;                    // retrieval heads, which weigh the recalls; may be empty
  const ModelInfo* model = nullptr;            // of the targets in this process; null: there are none
  std::function<bool(const RunState&)> watch;  // false stops the run
  // A target has answered all samples of a task and length: those records.
  std::function<void(const std::vector<Record>&)> cell_done;
};

// Samples of a task and length are asked target by target, so that a row of the table is finished at a time. Errors of
// samples and targets end the run; what is in the store stays. kCancelled when `watch` says so.
Status RunPlan(const Plan& plan, const std::vector<std::unique_ptr<Target>>& targets, const RunOptions& options,
               ResultsStore& store);

}  // namespace ltri

#endif  // LTRI_EVAL_RUN_RUNNER_H_
