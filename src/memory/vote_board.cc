#include "memory/vote_board.h"

#include <algorithm>

namespace ltri {
namespace {

// A span's vote is at most the number of heads; what is this much smaller decides nothing, and most spans get no more.
constexpr float kNegligible = 1e-7F;

}  // namespace

void VoteBoard::Replace(int64_t layer, std::span<const Span> spans, std::span<const float> votes) {
  std::vector<Vote>& mine = votes_[static_cast<size_t>(layer)];
  for (const Vote& vote : mine) {
    for (int64_t t = vote.begin; t < vote.end; ++t) total_[static_cast<size_t>(t)] -= vote.density;
  }
  mine.clear();
  if (!spans.empty() && static_cast<int64_t>(total_.size()) < spans.back().end) {
    total_.resize(static_cast<size_t>(spans.back().end), 0.0F);
  }
  for (size_t s = 0; s < spans.size(); ++s) {
    const float density = votes[s] / static_cast<float>(spans[s].end - spans[s].begin);
    if (!(density >= kNegligible)) continue;  // nor does what is no number
    mine.push_back({spans[s].begin, spans[s].end, density});
    for (int64_t t = spans[s].begin; t < spans[s].end; ++t) total_[static_cast<size_t>(t)] += density;
  }
}

void VoteBoard::Collect(std::span<const Span> spans, std::span<float> totals) const {
  const auto known = static_cast<int64_t>(total_.size());
  for (size_t s = 0; s < spans.size(); ++s) {
    float sum = 0;
    for (int64_t t = spans[s].begin; t < std::min(known, spans[s].end); ++t) sum += total_[static_cast<size_t>(t)];
    totals[s] = sum;
  }
}

void VoteBoard::Truncate(int64_t tokens) {
  if (static_cast<int64_t>(total_.size()) > tokens) total_.resize(static_cast<size_t>(tokens));
  for (std::vector<Vote>& layer : votes_) {
    std::erase_if(layer, [&](const Vote& vote) { return vote.begin >= tokens; });
    for (Vote& vote : layer) vote.end = std::min(vote.end, tokens);
  }
}

int64_t VoteBoard::bytes() const {
  auto bytes = static_cast<int64_t>(total_.capacity() * sizeof(float));
  for (const std::vector<Vote>& layer : votes_) bytes += static_cast<int64_t>(layer.capacity() * sizeof(Vote));
  return bytes;
}

}  // namespace ltri
