#include "attention/choose.h"

#include <algorithm>
#include <cmath>

namespace ltri {

int64_t TakeByVote(std::span<const Span> spans, std::span<const float> votes, std::span<const uint8_t> allowed,
                   int64_t budget, std::span<uint8_t> picked) {
  std::vector<int64_t> order;
  int64_t shortest = budget;
  for (size_t s = 0; s < spans.size(); ++s) {
    if (allowed[s] == 0 || std::isnan(votes[s])) continue;  // a damaged model's votes have no order
    order.push_back(static_cast<int64_t>(s));
    shortest = std::min(shortest, spans[s].length());
  }
  const auto better = [&](int64_t a, int64_t b) {
    const float va = votes[static_cast<size_t>(a)];
    const float vb = votes[static_cast<size_t>(b)];
    return va != vb ? va > vb : a < b;
  };
  // More spans than this cannot fit, so the rest need no order.
  const int64_t most = std::min(static_cast<int64_t>(order.size()), budget / std::max<int64_t>(1, shortest) + 1);
  if (most < static_cast<int64_t>(order.size()))
    std::nth_element(order.begin(), order.begin() + most, order.end(), better);
  std::sort(order.begin(), order.begin() + most, better);
  int64_t taken = 0;
  for (int64_t i = 0; i < most && taken < budget; ++i) {
    const auto s = static_cast<size_t>(order[static_cast<size_t>(i)]);
    const int64_t after = taken + spans[s].length();
    if (after > budget && after - budget > budget - taken) break;
    picked[s] = 1;
    taken = after;
  }
  return taken;
}

std::vector<uint8_t> ChooseSpans(std::span<const Span> spans, std::span<const float> votes, int64_t budget,
                                 const Persistence& persistence, std::span<float> weights) {
  std::vector<uint8_t> picked(spans.size(), 0);
  std::vector<uint8_t> allowed(spans.size(), 1);
  int64_t left = budget;
  if (persistence.on) {
    const auto decay = static_cast<float>(persistence.decay);
    for (size_t s = 0; s < spans.size(); ++s) {
      weights[s] *= decay;
      allowed[s] = weights[s] > 0 ? 1 : 0;
    }
    const auto share = static_cast<int64_t>(persistence.share * static_cast<double>(budget));
    left = std::max<int64_t>(0, budget - TakeByVote(spans, weights, allowed, share, picked));
    for (size_t s = 0; s < spans.size(); ++s) {
      allowed[s] = picked[s] == 0 ? 1 : 0;
      weights[s] += std::max(votes[s], 0.0F);
    }
  }
  TakeByVote(spans, votes, allowed, left, picked);
  return picked;
}

std::vector<TokenRange> ToRanges(std::span<const Span> spans, std::span<const uint8_t> picked, TokenRange first) {
  std::vector<TokenRange> ranges;
  if (first.count() > 0) ranges.push_back(first);
  for (size_t s = 0; s < spans.size(); ++s) {
    if (picked[s] == 0) continue;
    if (!ranges.empty() && ranges.back().end == spans[s].begin) {
      ranges.back().end = spans[s].end;
    } else {
      ranges.push_back({spans[s].begin, spans[s].end});
    }
  }
  return ranges;
}

}  // namespace ltri
