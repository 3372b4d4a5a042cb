#include "spans/ballot.h"

#include <algorithm>
#include <cmath>

namespace ltri {

void KeepHighest(Ballot& ballot, int64_t most) {
  std::erase_if(ballot, [](const SpanVote& v) { return std::isnan(v.vote); });
  if (most < static_cast<int64_t>(ballot.size())) {
    const auto end = ballot.begin() + std::max<int64_t>(0, most);
    std::nth_element(ballot.begin(), end, ballot.end(), [](const SpanVote& a, const SpanVote& b) {
      return a.vote != b.vote ? a.vote > b.vote : a.span < b.span;
    });
    ballot.erase(end, ballot.end());
  }
  std::sort(ballot.begin(), ballot.end(), [](const SpanVote& a, const SpanVote& b) { return a.span < b.span; });
}

}  // namespace ltri
