// Tally: votes on spans while they are summed. Work grows with the votes, not with the spans.
#ifndef LTRI_SPANS_TALLY_H_
#define LTRI_SPANS_TALLY_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "spans/ballot.h"

namespace ltri {

class Tally {
 public:
  // Makes votes on spans [0, spans) possible.
  void Reserve(int64_t spans) {
    if (static_cast<int64_t>(votes_.size()) < spans) votes_.resize(static_cast<size_t>(spans), 0.0F);
  }

  // A vote on this span will come soon.
  void Prefetch(int32_t span) const { __builtin_prefetch(&votes_[static_cast<size_t>(span)], 1); }

  // The first vote is taken as it is, so that raw scores may be negative.
  void Add(int32_t span, float vote) {
    float& sum = votes_[static_cast<size_t>(span)];
    if (sum == 0) spans_.push_back(span);
    sum += vote;
  }
  void Raise(int32_t span, float vote) {
    float& best = votes_[static_cast<size_t>(span)];
    if (best == 0) spans_.push_back(span);
    best = best == 0 ? vote : std::max(best, vote);
  }

  // Each span once, in no order. The next sum begins empty.
  Ballot Take() {
    Ballot ballot;
    ballot.reserve(spans_.size());
    for (const int32_t span : spans_) {
      float& vote = votes_[static_cast<size_t>(span)];
      if (vote != 0) ballot.push_back({span, vote});
      vote = 0;
    }
    spans_.clear();
    return ballot;
  }

 private:
  std::vector<float> votes_;    // [spans], a float each: zero between sums
  std::vector<int32_t> spans_;  // those that got a vote
};

}  // namespace ltri

#endif  // LTRI_SPANS_TALLY_H_
