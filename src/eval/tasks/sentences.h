// Where sentences end, by rules: for places between them.
#ifndef LTRI_EVAL_TASKS_SENTENCES_H_
#define LTRI_EVAL_TASKS_SENTENCES_H_

#include <string>
#include <string_view>
#include <vector>

namespace ltri {

// The sentences of English text with single spaces: split after . ? ! and closing quotes, before a space and a capital,
// digit or opening quote; not after Mr. and its like, nor after an initial.
std::vector<std::string_view> SplitSentences(std::string_view text);

// Runs of white space become one space.
std::string SingleSpaces(std::string_view text);

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_SENTENCES_H_
