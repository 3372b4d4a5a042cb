// RULER's thirteen tasks (arXiv 2404.06654), family by family.
#ifndef LTRI_EVAL_TASKS_RULER_H_
#define LTRI_EVAL_TASKS_RULER_H_

#include <string>
#include <vector>

#include "eval/tasks/sized_task.h"
#include "eval/tasks/suites.h"

namespace ltri {

struct RulerTask {
  std::string name;
  std::string source;
  SizedTask sized;
};

// What becomes of a family: its tasks, or why it is skipped.
struct RulerFamily {
  std::vector<RulerTask> tasks;
  std::vector<SkippedTask> skipped;
};

Result<RulerFamily> RulerNeedles(const ContextPtr& context);      // niah_*
Result<RulerFamily> RulerVariables(const ContextPtr& context);    // vt
Result<RulerFamily> RulerFrequencies(const ContextPtr& context);  // cwe, fwe
Result<RulerFamily> RulerQuestions(const ContextPtr& context);    // qa_1, qa_2

// The noise of several tasks, one sentence group a line.
inline constexpr const char* kNoiseLine =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_RULER_H_
