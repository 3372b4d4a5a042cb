#include "attention/asked_tokens.h"

#include <algorithm>
#include <numeric>

namespace ltri {
namespace {

constexpr size_t kMostStretches = 64;
// A neighbour belongs to a stretch while it has at least this part of the stretch's highest piece.
constexpr float kShoulder = 0.25F;

}  // namespace

void AskedTokens::Add(std::span<const Span> spans, const Ballot& ballot) {
  for (const SpanVote& v : ballot) {
    const Span& span = spans[static_cast<size_t>(v.span)];
    if (!(v.vote > 0)) continue;
    const auto needed = static_cast<size_t>((span.end + kPiece - 1) / kPiece);
    if (votes_.size() < needed) votes_.resize(needed, 0.0F);
    const float density = v.vote / static_cast<float>(span.length());
    for (int64_t at = span.begin; at < span.end;) {
      const int64_t next = std::min(span.end, (at / kPiece + 1) * kPiece);
      votes_[static_cast<size_t>(at / kPiece)] += density * static_cast<float>(next - at);
      at = next;
    }
  }
}

std::vector<RecallShare> AskedTokens::Shares() const {
  const double total = std::accumulate(votes_.begin(), votes_.end(), 0.0);
  std::vector<RecallShare> shares;
  if (!(total > 0)) return shares;
  std::vector<size_t> order(votes_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return votes_[a] > votes_[b]; });
  std::vector<bool> taken(votes_.size(), false);
  for (const size_t peak : order) {
    if (shares.size() == kMostStretches || votes_[peak] == 0) break;
    if (taken[peak]) continue;
    const auto belongs = [&](size_t piece) { return !taken[piece] && votes_[piece] >= kShoulder * votes_[peak]; };
    size_t first = peak;
    size_t last = peak;
    while (first > 0 && belongs(first - 1)) --first;
    while (last + 1 < votes_.size() && belongs(last + 1)) ++last;
    double sum = 0;
    for (size_t piece = first; piece <= last; ++piece) {
      taken[piece] = true;
      sum += static_cast<double>(votes_[piece]);
    }
    shares.push_back({static_cast<int64_t>(first) * kPiece, static_cast<int64_t>(last + 1) * kPiece, sum / total});
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const RecallShare& a, const RecallShare& b) { return a.share > b.share; });
  return shares;
}

}  // namespace ltri
