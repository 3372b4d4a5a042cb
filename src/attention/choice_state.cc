#include "attention/choice_state.h"

namespace ltri {

void PutBallot(const Ballot& ballot, StateWriter* to) {
  to->Put<uint64_t>(ballot.size());
  for (const SpanVote& vote : ballot) {
    to->Put(vote.span);
    to->Put(vote.vote);
  }
}

Ballot GetBallot(StateReader* from, int64_t spans) {
  Ballot ballot;
  int32_t least = 0;
  for (int64_t left = from->GetCount(2 * sizeof(int32_t)); left > 0 && from->ok(); --left) {
    SpanVote vote;
    vote.span = from->GetWithin<int32_t>(least, static_cast<int32_t>(spans) - 1, "the span of a vote");
    vote.vote = from->Get<float>();
    ballot.push_back(vote);
    least = vote.span + 1;
  }
  return ballot;
}

void PutRanges(const std::vector<TokenRange>& ranges, StateWriter* to) {
  to->Put<uint64_t>(ranges.size());
  for (const TokenRange& range : ranges) {
    to->Put(range.begin);
    to->Put(range.end);
  }
}

std::vector<TokenRange> GetRanges(StateReader* from, int64_t tokens) {
  std::vector<TokenRange> ranges;
  for (int64_t left = from->GetCount(2 * sizeof(int64_t)); left > 0 && from->ok(); --left) {
    const auto begin = from->GetWithin<int64_t>(0, tokens, "the begin of recalled tokens");
    ranges.push_back({begin, from->GetWithin<int64_t>(begin, tokens, "the end of recalled tokens")});
  }
  return ranges;
}

}  // namespace ltri
