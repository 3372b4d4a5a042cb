// The suites: each turns settings into a plan. What is missing is skipped by name; wrong settings are errors.
#ifndef LTRI_EVAL_TASKS_SUITES_H_
#define LTRI_EVAL_TASKS_SUITES_H_

#include <memory>
#include <string>
#include <vector>

#include "eval/tasks/plan.h"

namespace ltri {

using ContextPtr = std::shared_ptr<const TaskContext>;

Result<Plan> PlanNiah(const ContextPtr& context, const SuiteSettings& settings);
Result<Plan> PlanRuler(const ContextPtr& context, const SuiteSettings& settings);
Result<Plan> PlanNeedleBench(const ContextPtr& context, const SuiteSettings& settings);
Result<Plan> PlanInfiniteBench(const ContextPtr& context, const SuiteSettings& settings);
Result<Plan> PlanLongBench(const ContextPtr& context, const SuiteSettings& settings);
Result<Plan> PlanQuick(const ContextPtr& context, const SuiteSettings& settings);

struct Suite {
  std::string name;
  std::string help;
  Result<Plan> (*plan)(const ContextPtr&, const SuiteSettings&);
  SuiteSettings defaults;
};

const std::vector<Suite>& Suites();

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_SUITES_H_
