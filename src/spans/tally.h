// Tally: votes on spans while they are summed. Work grows with the votes, and with the spans by a bit each.
#ifndef LTRI_SPANS_TALLY_H_
#define LTRI_SPANS_TALLY_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "spans/ballot.h"

namespace ltri {

class Tally {
 public:
  // Makes votes on spans [0, spans) possible.
  void Reserve(int64_t spans) {
    if (static_cast<int64_t>(votes_.size()) >= spans) return;
    votes_.resize(static_cast<size_t>(spans), 0.0F);
    voted_.resize(static_cast<size_t>((spans + 63) / 64), 0);
  }

  // The first vote is taken as it is, so that raw scores may be negative.
  void Add(int32_t span, float vote) { At(span) += vote; }
  void Raise(int32_t span, float vote) {
    float& best = At(span);
    best = best == 0 ? vote : std::max(best, vote);
  }

  // Each span once. The next sum begins empty.
  Ballot Take() {
    Ballot ballot;
    const auto end = std::min(static_cast<size_t>(highest_) + 1, voted_.size());
    size_t count = 0;
    for (size_t word = lowest_; word < end; ++word) count += static_cast<size_t>(std::popcount(voted_[word]));
    ballot.reserve(count);
    for (size_t word = lowest_; word < end; ++word) {
      for (uint64_t left = voted_[word]; left != 0; left &= left - 1) {
        const auto span = static_cast<int32_t>(word * 64) + std::countr_zero(left);
        float& vote = votes_[static_cast<size_t>(span)];
        if (vote != 0) ballot.push_back({span, vote});
        vote = 0;
      }
      voted_[word] = 0;
    }
    lowest_ = kNone;
    highest_ = 0;
    return ballot;
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  float& At(int32_t span) {
    const uint32_t word = static_cast<uint32_t>(span) / 64;
    voted_[word] |= uint64_t{1} << (static_cast<uint32_t>(span) % 64);
    lowest_ = std::min(lowest_, word);
    highest_ = std::max(highest_, word);
    return votes_[static_cast<size_t>(span)];
  }

  std::vector<float> votes_;     // [spans], a float each: zero between sums
  std::vector<uint64_t> voted_;  // a bit a span: it got a vote
  uint32_t lowest_ = kNone;      // words of voted_ that are not zero are not outside
  uint32_t highest_ = 0;
};

}  // namespace ltri

#endif  // LTRI_SPANS_TALLY_H_
