#include "memory/vote_board.h"

#include <algorithm>
#include <functional>

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

// The votes on spans [first, last).
Ballot VoteBoard::CollectPart(std::span<const Span> spans, const SpanDirectory& directory, int64_t first,
                              int64_t last) const {
  thread_local Tally tally;
  tally.Reserve(static_cast<int64_t>(spans.size()));
  const int64_t begin = spans[static_cast<size_t>(first)].begin;
  const int64_t end = spans[static_cast<size_t>(last - 1)].end;
  const auto part_of = [&](const std::vector<Vote>& layer) {
    const auto from = std::ranges::lower_bound(layer, begin, std::less_equal(), &Vote::end);
    return std::span<const Vote>(from, std::ranges::lower_bound(from, layer.end(), end, std::less(), &Vote::begin));
  };
  // Votes lie all over a long text: what a layer's need is asked for before that of the layer before is waited for.
  std::span<const Vote> votes;
  for (size_t layer = 0; layer <= votes_.size(); ++layer) {
    const std::span<const Vote> next = layer < votes_.size() ? part_of(votes_[layer]) : std::span<const Vote>();
    for (const Vote& vote : next) directory.Prefetch(vote.begin);
    for (const Vote& vote : votes) {
      directory.ForSpans(std::max(begin, vote.begin), std::min(end, vote.end), [&](int32_t span, int64_t shared) {
        tally.Add(span, vote.density * static_cast<float>(shared));
      });
    }
    votes = next;
  }
  return tally.Take();
}

Ballot VoteBoard::Collect(ThreadPool& pool, std::span<const Span> spans, const SpanDirectory& directory,
                          int64_t most) const {
  const auto count = static_cast<int64_t>(spans.size());
  const int64_t parts = std::min<int64_t>(count, pool.threads());
  std::vector<Ballot> ballots(static_cast<size_t>(parts));
  pool.Run(parts, [&](int64_t part, int) {
    ballots[static_cast<size_t>(part)] =
        CollectPart(spans, directory, part * count / parts, (part + 1) * count / parts);
  });
  Ballot totals;
  for (const Ballot& ballot : ballots) totals.insert(totals.end(), ballot.begin(), ballot.end());
  KeepHighest(totals, most);
  return totals;
}

void VoteBoard::Truncate(int64_t tokens) {
  for (std::vector<Vote>& layer : votes_) {
    std::erase_if(layer, [&](const Vote& vote) { return vote.begin >= tokens; });
    for (Vote& vote : layer) vote.end = std::min(vote.end, tokens);
  }
}

void VoteBoard::Save(StateWriter* state) const {
  for (const std::vector<Vote>& layer : votes_) {
    state->Put<uint64_t>(layer.size());
    for (const Vote& vote : layer) {
      state->Put(vote.begin);
      state->Put(vote.end);
      state->Put(vote.density);
    }
  }
}

void VoteBoard::Restore(StateReader* state) {
  for (std::vector<Vote>& layer : votes_) {
    int64_t end = 0;
    for (int64_t left = state->GetCount(sizeof(int64_t)); left > 0 && state->ok(); --left) {
      Vote vote{};
      vote.begin = state->Get<int64_t>();
      vote.end = state->Get<int64_t>();
      vote.density = state->Get<float>();
      state->Check(vote.begin >= end && vote.begin < vote.end, "votes are not in text order");
      end = vote.end;
      layer.push_back(vote);
    }
  }
}

int64_t VoteBoard::bytes() const {
  int64_t bytes = 0;
  for (const std::vector<Vote>& layer : votes_) bytes += static_cast<int64_t>(layer.capacity() * sizeof(Vote));
  return bytes;
}

}  // namespace ltri
