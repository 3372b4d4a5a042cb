#include "spans/ballot.h"

#include <algorithm>
#include <cmath>

#include "ops/top_k.h"

namespace ltri {

void KeepHighest(Ballot& ballot, int64_t most) {
  std::erase_if(ballot, [](const SpanVote& v) { return std::isnan(v.vote); });
  if (most <= 0) ballot.clear();
  const auto count = static_cast<int64_t>(ballot.size());
  float cutoff = 0;
  int64_t equal = 0;  // that stay of those with just this vote
  if (most < count) {
    thread_local std::vector<float> votes, scratch;
    votes.resize(ballot.size());
    std::ranges::transform(ballot, votes.begin(), &SpanVote::vote);
    float highest = 0;
    cutoff = KthHighest(votes.data(), count, most, &highest, &scratch);
    equal = most - std::ranges::count_if(votes, [cutoff](float vote) { return vote > cutoff; });
    std::erase_if(ballot, [cutoff](const SpanVote& v) { return v.vote < cutoff; });
  }
  if (!std::ranges::is_sorted(ballot, {}, &SpanVote::span)) std::ranges::sort(ballot, {}, &SpanVote::span);
  if (most < count) {
    std::erase_if(ballot, [&](const SpanVote& v) { return v.vote == cutoff && equal-- <= 0; });
  }
}

}  // namespace ltri
