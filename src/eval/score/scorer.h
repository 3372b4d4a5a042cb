// Scorers by name: how well a prediction answers, as the references compute it (docs/evaluation.md).
//
// Thread-safe: pure functions.
#ifndef LTRI_EVAL_SCORE_SCORER_H_
#define LTRI_EVAL_SCORE_SCORER_H_

#include <string>
#include <string_view>
#include <vector>

namespace ltri {

// What is right: which string means what is the scorer's affair (several golds, a gold and its letter, ...).
using References = std::vector<std::string>;

// 0 (wrong) to 1 (right).
using Scorer = double (*)(const std::string& prediction, const References& references);

// Null when there is none of that name.
Scorer FindScorer(std::string_view name);
std::vector<std::string> ScorerNames();

}  // namespace ltri

#endif  // LTRI_EVAL_SCORE_SCORER_H_
