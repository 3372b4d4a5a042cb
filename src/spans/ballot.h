// Ballot: votes on some of a layer's spans; the others got none.
#ifndef LTRI_SPANS_BALLOT_H_
#define LTRI_SPANS_BALLOT_H_

#include <cstdint>
#include <vector>

namespace ltri {

struct SpanVote {
  int32_t span = 0;  // its number in the layer, in text order
  float vote = 0;
  bool operator==(const SpanVote&) const = default;
};

// Ascending by span, each at most once.
using Ballot = std::vector<SpanVote>;

// Leaves the `most` highest votes, in order of their spans, whatever the order before. Ties go to the earlier span;
// what is no number goes.
void KeepHighest(Ballot& ballot, int64_t most);

}  // namespace ltri

#endif  // LTRI_SPANS_BALLOT_H_
