// Long official texts within a wanted length: the middle is left out, as the benchmarks do it.
#ifndef LTRI_EVAL_TASKS_MIDDLE_CUT_H_
#define LTRI_EVAL_TASKS_MIDDLE_CUT_H_

#include <string>

#include "eval/tasks/plan.h"

namespace ltri {

// The sample's prompt: `form` with `body` in the place of "{context}". With a length, so much of the body's middle is
// left out that prompt, prefix and answer keep to it. Error kInvalidArgument when not even an empty body fits.
Status FillWithContext(const TaskContext& context, const std::string& form, const std::string& body, Sample* sample);

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_MIDDLE_CUT_H_
