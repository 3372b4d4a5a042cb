#include "memory/vote_board.h"

#include <algorithm>

#include "spans/tally.h"

namespace ltri {
namespace {

// A span's vote is at most the number of heads; what is this much smaller decides nothing, and most spans get no more.
constexpr float kNegligible = 1e-7F;

}  // namespace

void VoteBoard::Replace(int64_t layer, std::span<const Span> spans, const Ballot& ballot) {
  std::vector<Vote>& mine = votes_[static_cast<size_t>(layer)];
  mine.clear();
  for (const SpanVote& v : ballot) {
    const Span& span = spans[static_cast<size_t>(v.span)];
    const float density = v.vote / static_cast<float>(span.length());
    if (!(density >= kNegligible)) continue;  // nor does what is no number
    mine.push_back({span.begin, span.end, density});
  }
}

Ballot VoteBoard::Collect(std::span<const Span> spans, const SpanDirectory& directory, int64_t most) const {
  thread_local Tally tally;
  const auto count = static_cast<int64_t>(spans.size());
  tally.Reserve(count);
  for (const std::vector<Vote>& layer : votes_) {
    for (const Vote& vote : layer) {
      int64_t s = directory.First(vote.begin / SpanDirectory::kBlock);
      while (s < count && spans[static_cast<size_t>(s)].end <= vote.begin) ++s;
      for (; s < count && spans[static_cast<size_t>(s)].begin < vote.end; ++s) {
        const Span& span = spans[static_cast<size_t>(s)];
        const int64_t shared = std::min(span.end, vote.end) - std::max(span.begin, vote.begin);
        tally.Add(static_cast<int32_t>(s), vote.density * static_cast<float>(shared));
      }
    }
  }
  Ballot totals = tally.Take();
  KeepHighest(totals, most);
  return totals;
}

void VoteBoard::Truncate(int64_t tokens) {
  for (std::vector<Vote>& layer : votes_) {
    std::erase_if(layer, [&](const Vote& vote) { return vote.begin >= tokens; });
    for (Vote& vote : layer) vote.end = std::min(vote.end, tokens);
  }
}

int64_t VoteBoard::bytes() const {
  int64_t bytes = 0;
  for (const std::vector<Vote>& layer : votes_) bytes += static_cast<int64_t>(layer.capacity() * sizeof(Vote));
  return bytes;
}

}  // namespace ltri
