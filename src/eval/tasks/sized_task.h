// SizedTask: a task whose prompts grow with one number, and the largest number that fits a wanted length.
#ifndef LTRI_EVAL_TASKS_SIZED_TASK_H_
#define LTRI_EVAL_TASKS_SIZED_TASK_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "eval/tasks/plan.h"

namespace ltri {

struct SizedTask {
  // Fills in a sample of that size: prompt, prefix, gold, scorer, answer's length. Its task, length and index are set.
  std::function<Status(int64_t size, Random& random, Sample* sample)> build;
  int64_t least = 1;  // sizes below cannot be built
  int64_t most = int64_t{1} << 26;
};

// Makes samples of about the largest size whose tokens, with the answer's, stay within the sample's length. The size is
// searched once for each task and length, within 1/256; a sample that comes out too long is made again, smaller by
// 1/64. Error kInvalidArgument when the least does not fit.
SampleMaker FitToLength(std::shared_ptr<const TaskContext> context, SizedTask task);

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_SIZED_TASK_H_
