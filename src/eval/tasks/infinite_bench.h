// Infinity-Bench (arXiv 2402.13718): six tasks made by its rules, all twelve from its files.
#ifndef LTRI_EVAL_TASKS_INFINITE_BENCH_H_
#define LTRI_EVAL_TASKS_INFINITE_BENCH_H_

#include <string>
#include <vector>

#include "eval/tasks/sized_task.h"
#include "eval/tasks/suites.h"

namespace ltri {

// What of a task's prompt is the same whoever made its context. {context}, {input}, ... are filled in.
struct InfinitePrompt {
  const char* name;
  const char* file;    // without .jsonl
  const char* chat;    // the user's turn within a chat template
  const char* plain;   // the same for text that is continued
  const char* prefix;  // of the answer then
  const char* scorer;
  int64_t max_tokens;
};

const std::vector<InfinitePrompt>& InfinitePrompts();
const InfinitePrompt& InfinitePromptOf(const std::string& name);

struct InfiniteTask {
  std::string name;
  SizedTask sized;
};

// passkey, number_string, kv_retrieval, math_find, math_calc, code_run.
std::vector<InfiniteTask> InfiniteGenerated(const ContextPtr& context);

// The samples of an official file, cut in the middle to `length` tokens (0: whole).
Result<std::vector<Sample>> ReadInfinite(const ContextPtr& context, const InfinitePrompt& prompt,
                                         const std::string& path, int64_t length);

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_INFINITE_BENCH_H_
