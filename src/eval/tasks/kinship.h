// Chains of relatives told sentence by sentence, and the questions about them: NeedleBench's multi-needle reasoning and
// its Ancestral Trace Challenge (second version).
#ifndef LTRI_EVAL_TASKS_KINSHIP_H_
#define LTRI_EVAL_TASKS_KINSHIP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"

namespace ltri {

struct Kinship {
  std::vector<std::string> names;      // from the eldest to the youngest
  std::vector<std::string> sentences;  // in the order of the chain, one fewer than names
  int64_t generations = 0;             // between eldest and youngest; grandparents count twice
};

// pool: at least relations + 1 names. language: "en" or "zh".
Kinship DrawKinship(Random& random, const std::string& language, const std::vector<std::string>& pool,
                    int64_t relations);

enum class KinshipQuestion { kEldestAncestor, kNthAncestor, kNthDescendant, kDistance };
inline constexpr int64_t kKinshipQuestions = 4;

// The whole prompt of the challenge: task, examples, notes, the story, the question. The examples are ltri's own, of
// the reference's structure.
struct KinshipPrompt {
  std::string before;  // the story
  std::string after;
  std::string answer;
};
KinshipPrompt AskKinship(const std::string& language, KinshipQuestion question, const Kinship& chain);

// The question for the eldest relative within a document, with examples and notes.
std::string AskEldestInDocument(const std::string& language, const std::string& youngest);

}  // namespace ltri

#endif  // LTRI_EVAL_TASKS_KINSHIP_H_
