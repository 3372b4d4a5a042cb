// The questions that come with the program (questions.jsonl), as CMake puts them into it: a JSON object a line with
// `needle`, `question` and `answer`, which the needle contains.
#ifndef LTRI_EVAL_TASKS_QUESTIONS_H_
#define LTRI_EVAL_TASKS_QUESTIONS_H_

#include <string_view>

namespace ltri {

std::string_view QuestionsJsonl();

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_QUESTIONS_H_
