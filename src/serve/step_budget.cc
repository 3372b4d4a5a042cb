#include "serve/step_budget.h"

#include <algorithm>

namespace ltri {
namespace {

constexpr double kFreshness = 0.2;  // how much of an estimate a new measurement replaces
constexpr int64_t kShort = 64;      // tokens; a prompt's end that is read again

bool MayNotWait(const PromptBlock& block) { return block.first || block.tokens <= kShort; }

}  // namespace

std::vector<size_t> StepBudget::Choose(std::span<const PromptBlock> blocks, int64_t answers) const {
  const bool in_debt = answers > 0 && debt_ > 0;
  double seconds = 0;
  std::vector<size_t> chosen;
  const auto take = [&](size_t i) {
    seconds += Cost(blocks[i]);
    chosen.push_back(i);
  };
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (MayNotWait(blocks[i]) && (chosen.empty() || seconds + Cost(blocks[i]) <= step_seconds_)) take(i);
  }
  // The others as far as these leave them time; one if they leave any.
  bool has_other = false;
  for (size_t i = 0; i < blocks.size() && !in_debt && seconds <= step_seconds_; ++i) {
    if (MayNotWait(blocks[i]) || (has_other && seconds + Cost(blocks[i]) > step_seconds_)) continue;
    take(i);
    has_other = true;
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

void StepBudget::Took(double seconds, int64_t prompt_tokens, int64_t answers) {
  if (prompt_tokens > kShort) {
    token_seconds_ += kFreshness * (seconds / static_cast<double>(prompt_tokens) - token_seconds_);
    debt_ = std::max(debt_, 0.0) + seconds * (1 - share_) / share_;
  } else {
    debt_ -= seconds;
  }
  if (answers == 0) debt_ = 0;
}

}  // namespace ltri
