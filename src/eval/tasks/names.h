// Invented names and facts, for prompts whose official lists are not at hand.
#ifndef LTRI_EVAL_TASKS_NAMES_H_
#define LTRI_EVAL_TASKS_NAMES_H_

#include <string>
#include <vector>

namespace ltri {

// Each once, none with an apostrophe, quote, comma or backslash (the answer cleaner removes them).
std::vector<std::string> PersonNames(const std::string& language);  // over 6,000; language: "en" or "zh"
std::vector<std::string> CityNames();                               // 60

// A fact that nobody knows: where something is hidden, or who rules a star.
struct InventedFact {
  std::string text;
  std::string question;  // up to its question mark
  std::string format;    // the answer's form, with eight underscores for `answer`
  std::string answer;
};

// All with distinct places and answers.
std::vector<InventedFact> InventedFacts(const std::string& language);

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_NAMES_H_
