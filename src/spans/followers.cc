#include "spans/followers.h"

namespace ltri {

Ballot Loans(std::span<const Span> spans, const Ballot& ballot, int64_t reach) {
  Ballot loans;
  SpanVote lender{-1, 0};  // the last span whose own vote was not below what it was lent
  const auto loan = [&](int32_t span) {
    if (lender.span < 0) return 0.0F;
    const int64_t distance = spans[static_cast<size_t>(span)].begin - spans[static_cast<size_t>(lender.span)].end;
    return distance < reach ? lender.vote * (1.0F - static_cast<float>(distance) / static_cast<float>(reach)) : 0.0F;
  };
  const auto lend_until = [&](int32_t span, int32_t end) {
    for (float vote; span < end && (vote = loan(span)) > 0; ++span) loans.push_back({span, vote});
  };
  int32_t next = 0;
  for (const SpanVote& own : ballot) {
    lend_until(next, own.span);
    next = own.span + 1;
    const float vote = loan(own.span);
    if (vote > 0 && vote > own.vote) {
      loans.push_back({own.span, vote});
    } else {
      lender = own;
    }
  }
  lend_until(next, static_cast<int32_t>(spans.size()));
  return loans;
}

}  // namespace ltri
