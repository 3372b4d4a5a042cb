#include "eval/tasks/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/tasks/draw.h"

namespace ltri {

void AddSamples(Plan& plan, uint64_t seed, const Sample& cell, int64_t count, const SampleMaker& make) {
  for (int64_t i = 0; i < count; ++i) {
    Sample sample = cell;
    sample.index = i;
    plan.samples.push_back({cell.task, cell.length, SampleId(sample), [sample, seed, make]() -> Result<Sample> {
                              Sample made = sample;
                              Random random = RandomOf(seed, made.task, made.length, made.depth, made.index);
                              if (Status status = make(random, &made); !status.ok()) return status.error();
                              return made;
                            }});
  }
}

bool IsWanted(const SuiteSettings& settings, const std::string& name) {
  return settings.tasks.empty() ||
         std::find(settings.tasks.begin(), settings.tasks.end(), name) != settings.tasks.end();
}

Status CheckTasks(const SuiteSettings& settings, const std::vector<std::string>& names) {
  for (const std::string& task : settings.tasks) {
    if (std::find(names.begin(), names.end(), task) != names.end()) continue;
    return Error{ErrorCode::kInvalidArgument, fmt::format("--tasks: '{}' is none of {}", task, fmt::join(names, ", "))};
  }
  return {};
}

}  // namespace ltri
