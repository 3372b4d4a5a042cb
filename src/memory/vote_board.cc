#include "memory/vote_board.h"

#include <algorithm>

namespace ltri {
namespace {

constexpr int64_t kBlock = SpanDirectory::kBlock;

// A span's vote is at most the number of heads; what is this much smaller decides nothing, and most spans get no more.
constexpr float kNegligible = 1e-7F;

}  // namespace

void VoteBoard::Add(const Vote& vote) {
  for (int64_t b = vote.begin / kBlock; b * kBlock < vote.end; ++b) ++voted_[static_cast<size_t>(b)];
  for (int64_t t = vote.begin; t < vote.end; ++t) total_[static_cast<size_t>(t)] += vote.density;
}

void VoteBoard::Remove(const Vote& vote) {
  for (int64_t t = vote.begin; t < vote.end; ++t) total_[static_cast<size_t>(t)] -= vote.density;
  for (int64_t b = vote.begin / kBlock; b * kBlock < vote.end; ++b) {
    // Sums and differences leave crumbs; they go with a block's last vote.
    if (--voted_[static_cast<size_t>(b)] == 0) std::fill_n(total_.begin() + b * kBlock, kBlock, 0.0F);
  }
}

void VoteBoard::Replace(int64_t layer, std::span<const Span> spans, const Ballot& ballot) {
  std::vector<Vote>& mine = votes_[static_cast<size_t>(layer)];
  for (const Vote& vote : mine) Remove(vote);
  mine.clear();
  const int64_t blocks = spans.empty() ? 0 : (spans.back().end + kBlock - 1) / kBlock;
  if (static_cast<int64_t>(voted_.size()) < blocks) {
    voted_.resize(static_cast<size_t>(blocks), 0);
    total_.resize(static_cast<size_t>(blocks * kBlock), 0.0F);
  }
  for (const SpanVote& v : ballot) {
    const Span& span = spans[static_cast<size_t>(v.span)];
    const float density = v.vote / static_cast<float>(span.length());
    if (!(density >= kNegligible)) continue;  // nor does what is no number
    mine.push_back({span.begin, span.end, density});
    Add(mine.back());
  }
}

Ballot VoteBoard::Collect(std::span<const Span> spans, const SpanDirectory& directory) const {
  Ballot totals;
  const auto blocks = static_cast<int64_t>(voted_.size());
  const auto count = static_cast<int64_t>(spans.size());
  int64_t next = 0;  // spans before it are done
  for (int64_t b = 0; b < blocks; ++b) {
    if (voted_[static_cast<size_t>(b)] == 0) continue;
    for (int64_t s = std::max(next, directory.First(b)); s < count; next = ++s) {
      const Span& span = spans[static_cast<size_t>(s)];
      if (span.begin >= (b + 1) * kBlock) break;
      float sum = 0;
      const int64_t end = std::min(span.end, blocks * kBlock);
      for (int64_t t = span.begin; t < end; ++t) sum += total_[static_cast<size_t>(t)];
      if (sum > 0) totals.push_back({static_cast<int32_t>(s), sum});
    }
  }
  return totals;
}

void VoteBoard::Truncate(int64_t tokens) {
  for (std::vector<Vote>& layer : votes_) {
    for (const Vote& vote : layer) Remove(vote);
    std::erase_if(layer, [&](const Vote& vote) { return vote.begin >= tokens; });
    for (Vote& vote : layer) vote.end = std::min(vote.end, tokens);
  }
  for (const std::vector<Vote>& layer : votes_) {
    for (const Vote& vote : layer) Add(vote);
  }
}

int64_t VoteBoard::bytes() const {
  auto bytes = static_cast<int64_t>(total_.capacity() * sizeof(float) + voted_.capacity() * sizeof(uint16_t));
  for (const std::vector<Vote>& layer : votes_) bytes += static_cast<int64_t>(layer.capacity() * sizeof(Vote));
  return bytes;
}

}  // namespace ltri
