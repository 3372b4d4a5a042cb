// StepBudget: which prompts go along in the next step, so that prompts do not stall those whose answers are growing.
//
// A step carries the next token of every growing answer, which costs little, and blocks of prompts, which cost much.
// After a step with such a block the answers get steps of their own for as long as it took beyond the prompts' share,
// so most tokens come at the pace that they had without any prompt. A prompt's first block, and what is short, the end
// of a prompt that is read again, do not wait for that.
//
// Not thread-safe: the scheduler's thread only. Times are in seconds.
#ifndef LTRI_SERVE_STEP_BUDGET_H_
#define LTRI_SERVE_STEP_BUDGET_H_

#include <cstdint>
#include <span>
#include <vector>

namespace ltri {

struct PromptBlock {
  int64_t tokens = 0;
  bool first = false;  // of its prompt
};

class StepBudget {
 public:
  // prompt_share: of the time, for prompts while answers grow; above 0, at most 1. step_seconds: how long a step may
  // become by prompts beyond the first one, which always fits.
  StepBudget(double prompt_share, double step_seconds) : share_(prompt_share), step_seconds_(step_seconds) {}

  // Which of the prompts' next blocks, those whose turn it is first, go along beside `answers` tokens. Ascending.
  std::vector<size_t> Choose(std::span<const PromptBlock> blocks, int64_t answers) const;

  // What the step that was chosen took.
  void Took(double seconds, int64_t prompt_tokens, int64_t answers);

  double token_seconds() const { return token_seconds_; }

 private:
  double Cost(const PromptBlock& block) const { return static_cast<double>(block.tokens) * token_seconds_; }

  double share_;
  double step_seconds_;
  double token_seconds_ = 0.003;  // of a prompt, as measured lately
  double debt_ = 0;               // time that answers are to have before the next prompt
};

}  // namespace ltri

#endif  // LTRI_SERVE_STEP_BUDGET_H_
