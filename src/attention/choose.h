// Choosing spans by votes within a budget of tokens, and remembering what was chosen for.
#ifndef LTRI_ATTENTION_CHOOSE_H_
#define LTRI_ATTENTION_CHOOSE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "attention/method.h"
#include "spans/ballot.h"
#include "spans/span.h"

namespace ltri {

// Persistent recall (docs/ltri.md): weights decay and grow by each vote; a share of the budget goes to spans by the
// weight they had before this vote.
struct Persistence {
  bool on = true;
  double share = 0.25;  // of the budget
  double decay = 0.9;   // of this step
  double gain = 1.0;    // what this vote counts
  int64_t most = 1024;  // spans that keep a weight
};

// A share of the budget goes to the spans that follow those voted for (spans/followers.h).
struct Following {
  int64_t reach = 0;    // tokens; 0: off
  double share = 0.15;  // of the budget
};

// Spans of a ballot lie all over a long text: asks for all of them, so that one after the other is not waited for.
void PrefetchSpans(std::span<const Span> spans, const Ballot& ballot);

// The spans recalled, ascending, about `budget` tokens of them. By descending vote until the budget is filled; the span
// that crosses it stays out if that leaves the total nearer to it; ties go to the earlier span. What the votes leave
// free goes to the newest spans. weights: updated (unless !persistence.on).
std::vector<int32_t> ChooseSpans(std::span<const Span> spans, const Ballot& votes, int64_t budget,
                                 const Persistence& persistence, Ballot* weights, const Following& following = {});

// Picked spans as token ranges in text order, neighbours joined, after `first` (which may be empty).
std::vector<TokenRange> ToRanges(std::span<const Span> spans, std::span<const int32_t> picked, TokenRange first);

}  // namespace ltri

#endif  // LTRI_ATTENTION_CHOOSE_H_
