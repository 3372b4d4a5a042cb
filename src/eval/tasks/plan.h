// Plan: which samples a run has; they are made one by one, when they are needed.
#ifndef LTRI_EVAL_TASKS_PLAN_H_
#define LTRI_EVAL_TASKS_PLAN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "eval/sample.h"
#include "eval/tasks/data_folder.h"
#include "eval/tasks/token_meter.h"

namespace ltri {

// What makers of samples share.
struct TaskContext {
  std::shared_ptr<const TokenMeter> meter;
  std::shared_ptr<const DataFolder> data;
  uint64_t seed = 0;
  bool chat = false;         // prompts are put into the model's chat template, not continued as text
  int64_t frame_tokens = 0;  // of that template
};

struct SuiteSettings {
  std::vector<std::string> tasks;         // names without the suite's; empty: all
  std::vector<int64_t> lengths = {4096};  // tokens of prompt and answer
  std::vector<double> depths;             // 0..1; empty: the suite's own
  std::vector<std::string> languages = {"en", "zh"};
  int64_t samples = 20;  // for each task, length and depth
  std::string needles;   // NIAH: a file with needles of one's own; empty: none
};

struct PlannedSample {
  std::string task;
  int64_t length = 0;
  std::string id;
  std::function<Result<Sample>()> make;
};

struct SkippedTask {
  std::string task;
  std::string reason;  // names what is missing
};

struct Plan {
  std::vector<PlannedSample> samples;  // those of a task and length lie together
  std::vector<SkippedTask> skipped;
};

// Adds `count` samples of a cell. make: gets the sample's own random numbers and a sample whose task, length, depth and
// index are set already.
using SampleMaker = std::function<Status(Random&, Sample*)>;
void AddSamples(Plan& plan, uint64_t seed, const Sample& cell, int64_t count, const SampleMaker& make);

// Whether `name` is wanted.
bool IsWanted(const SuiteSettings& settings, const std::string& name);
// Error kInvalidArgument when settings.tasks has a name that is none of `names`.
Status CheckTasks(const SuiteSettings& settings, const std::vector<std::string>& names);

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_PLAN_H_
