#include "memory/vote_board.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace ltri {
namespace {

// A span's vote is at most the number of heads; what is this much smaller decides nothing, and most spans get no more.
constexpr float kNegligible = 1e-7F;

constexpr int64_t kAhead = 16;  // votes whose places in the directory are on their way from memory

}  // namespace

void VoteBoard::Replace(int64_t layer, std::span<const Span> spans, const Ballot& ballot) {
  std::vector<Vote>& mine = votes_[static_cast<size_t>(layer)];
  const bool had_none = mine.empty();
  mine.clear();
  for (const SpanVote& v : ballot) {
    const Span& span = spans[static_cast<size_t>(v.span)];
    const float density = v.vote / static_cast<float>(span.length());
    if (!(density >= kNegligible)) continue;  // nor does what is no number
    mine.push_back({span.begin, span.end, density});
  }
  if (!had_none || !mine.empty()) Merge(layer);
}

void VoteBoard::Place(int64_t layer, std::vector<Vote> votes) {
  votes_[static_cast<size_t>(layer)] = std::move(votes);
  Merge(layer);
}

// The votes of all, when those of `layer` have changed.
void VoteBoard::Merge(int64_t layer) {
  const auto number = static_cast<int32_t>(layer);
  scratch_.clear();
  auto old = merged_.begin();
  const auto keep_until = [&](int64_t begin) {
    for (; old != merged_.end(); ++old) {
      if (old->layer == number) continue;
      if (old->vote.begin > begin || (old->vote.begin == begin && old->layer > number)) break;
      scratch_.push_back(*old);
    }
  };
  for (const Vote& vote : votes_[static_cast<size_t>(layer)]) {
    keep_until(vote.begin);
    scratch_.push_back({vote, number});
    longest_ = std::max(longest_, vote.end - vote.begin);
  }
  keep_until(std::numeric_limits<int64_t>::max());
  merged_.swap(scratch_);
}

void VoteBoard::MergeAll() {
  merged_.clear();
  for (size_t layer = 0; layer < votes_.size(); ++layer) Merge(static_cast<int64_t>(layer));
}

// The votes on the spans that tokens [begin, end) are cut into.
Ballot VoteBoard::CollectPart(const SpanDirectory& directory, int64_t begin, int64_t end) const {
  Ballot sums;
  const auto first_token = [](const LayerVote& v) { return v.vote.begin; };
  const auto from = std::ranges::lower_bound(merged_, begin - longest_, std::less(), first_token);
  const auto to = std::ranges::lower_bound(from, merged_.end(), end, std::less(), first_token);
  for (auto ahead = from; ahead != to && ahead - from < kAhead; ++ahead) directory.Prefetch(ahead->vote.begin);
  // No vote reaches back behind the first span of the one before, so spans come in order: the sums that exist already
  // are the last ones.
  size_t first = 0;
  for (auto next = from; next != to; ++next) {
    if (to - next > kAhead) directory.Prefetch(next[kAhead].vote.begin);
    const Vote& vote = next->vote;
    size_t at = first;
    bool is_first = true;
    directory.ForSpans(std::max(begin, vote.begin), std::min(end, vote.end), [&](int32_t span, int64_t shared) {
      while (at < sums.size() && sums[at].span < span) ++at;
      if (is_first) first = at;
      is_first = false;
      if (at == sums.size()) sums.push_back({span, 0.0F});
      sums[at].vote += vote.density * static_cast<float>(shared);
    });
  }
  return sums;
}

Ballot VoteBoard::Collect(ThreadPool& pool, std::span<const Span> spans, const SpanDirectory& directory,
                          int64_t most) const {
  const auto count = static_cast<int64_t>(spans.size());
  const int64_t parts = std::min<int64_t>(count, pool.threads());
  std::vector<Ballot> ballots(static_cast<size_t>(parts));
  // A part begins with a span, and ends where the next one begins.
  const auto border = [&](int64_t part) {
    return part < parts ? spans[static_cast<size_t>(part * count / parts)].begin : spans.back().end;
  };
  pool.Run(parts, [&](int64_t part, int) {
    ballots[static_cast<size_t>(part)] = CollectPart(directory, border(part), border(part + 1));
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
  MergeAll();
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
  MergeAll();
}

int64_t VoteBoard::bytes() const {
  int64_t bytes = 0;
  for (const std::vector<Vote>& layer : votes_) bytes += static_cast<int64_t>(layer.capacity() * sizeof(Vote));
  bytes += static_cast<int64_t>((merged_.capacity() + scratch_.capacity()) * sizeof(LayerVote));
  return bytes;
}

}  // namespace ltri
