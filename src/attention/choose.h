// Choosing spans by votes within a budget of tokens, and remembering what was chosen for.
#ifndef LTRI_ATTENTION_CHOOSE_H_
#define LTRI_ATTENTION_CHOOSE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "attention/method.h"
#include "spans/span.h"

namespace ltri {

// Marks spans by descending vote until `budget` tokens are filled; the span that crosses the budget stays out if that
// leaves the total nearer to it. Only spans with allowed[s] != 0 are considered; ties go to the earlier span.
// Returns the tokens taken; picked[s] becomes 1 for each span taken.
int64_t TakeByVote(std::span<const Span> spans, std::span<const float> votes, std::span<const uint8_t> allowed,
                   int64_t budget, std::span<uint8_t> picked);

// Persistent recall (docs/ltri.md): weights decay and grow by each vote; a share of the budget goes to spans by the
// weight they had before this vote.
struct Persistence {
  bool on = true;
  double share = 0.25;  // of the budget
  double decay = 0.9;   // of this step
};

// One choice: marks picked spans. weights: [spans], updated (unless !persistence.on).
std::vector<uint8_t> ChooseSpans(std::span<const Span> spans, std::span<const float> votes, int64_t budget,
                                 const Persistence& persistence, std::span<float> weights);

// Picked spans as token ranges in text order, neighbours joined, after `first` (which may be empty).
std::vector<TokenRange> ToRanges(std::span<const Span> spans, std::span<const uint8_t> picked, TokenRange first);

}  // namespace ltri

#endif  // LTRI_ATTENTION_CHOOSE_H_
