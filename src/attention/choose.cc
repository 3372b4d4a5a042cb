#include "attention/choose.h"

#include <algorithm>

#include "spans/followers.h"

namespace ltri {
namespace {

// A weight this small beside the heaviest will not be chosen for any more.
constexpr float kForgotten = 1e-4F;

// Takes spans while they bring the total nearer to the budget.
class Basket {
 public:
  Basket(std::span<const Span> spans, int64_t budget) : spans_(spans), left_(budget) {}

  // Takes spans of `ballot` by descending vote until `share` tokens are filled. False when it is filled.
  bool TakeByVote(Ballot ballot, int64_t share) {
    // A heap: what is not taken needs no order.
    const auto lower = [](const SpanVote& a, const SpanVote& b) {
      return a.vote != b.vote ? a.vote < b.vote : a.span > b.span;
    };
    std::make_heap(ballot.begin(), ballot.end(), lower);
    for (; !ballot.empty(); ballot.pop_back()) {
      std::pop_heap(ballot.begin(), ballot.end(), lower);
      if (!Has(ballot.back().span) && !Take(ballot.back().span, &share)) return false;
    }
    return true;
  }

  void TakeNewest() {
    int64_t share = left_;
    for (auto s = static_cast<int32_t>(spans_.size()) - 1; s >= 0; --s) {
      if (!Has(s) && !Take(s, &share)) return;
    }
  }

  int64_t left() const { return left_; }
  std::vector<int32_t> picked() && { return std::move(picked_); }

 private:
  bool Has(int32_t span) const { return std::binary_search(picked_.begin(), picked_.end(), span); }

  // False when `share` is filled.
  bool Take(int32_t span, int64_t* share) {
    const int64_t length = spans_[static_cast<size_t>(span)].length();
    if (*share <= 0 || (length > *share && length - *share > *share)) return false;
    picked_.insert(std::lower_bound(picked_.begin(), picked_.end(), span), span);
    *share -= length;
    left_ -= length;
    return true;
  }

  std::span<const Span> spans_;
  int64_t left_;
  std::vector<int32_t> picked_;  // ascending
};

// weights = decay * weights + gain * votes, without what fell behind.
void Remember(const Ballot& votes, const Persistence& persistence, Ballot* weights) {
  const auto decay = static_cast<float>(persistence.decay);
  const auto gain = static_cast<float>(persistence.gain);
  Ballot sum;
  sum.reserve(weights->size() + votes.size());
  auto old = weights->begin();
  float heaviest = 0;
  const auto add = [&](int32_t span, float weight) {
    if (!(weight > 0)) return;
    sum.push_back({span, weight});
    heaviest = std::max(heaviest, weight);
  };
  for (const SpanVote& v : votes) {
    for (; old != weights->end() && old->span < v.span; ++old) add(old->span, decay * old->vote);
    float weight = gain * std::max(v.vote, 0.0F);
    if (old != weights->end() && old->span == v.span) weight += decay * (old++)->vote;
    add(v.span, weight);
  }
  for (; old != weights->end(); ++old) add(old->span, decay * old->vote);
  std::erase_if(sum, [&](const SpanVote& v) { return v.vote < kForgotten * heaviest; });
  KeepHighest(sum, persistence.most);
  *weights = std::move(sum);
}

}  // namespace

void PrefetchSpans(std::span<const Span> spans, const Ballot& ballot) {
  constexpr size_t kFollowers = 3;  // are looked at, too
  for (const SpanVote& v : ballot) {
    const auto span = static_cast<size_t>(v.span);
    __builtin_prefetch(&spans[span]);
    __builtin_prefetch(&spans[std::min(span + kFollowers, spans.size() - 1)]);
  }
}

std::vector<int32_t> ChooseSpans(std::span<const Span> spans, const Ballot& votes, int64_t budget,
                                 const Persistence& persistence, Ballot* weights, const Following& following) {
  PrefetchSpans(spans, votes);
  Basket basket(spans, budget);
  if (persistence.on) {
    PrefetchSpans(spans, *weights);
    basket.TakeByVote(*weights, static_cast<int64_t>(persistence.share * static_cast<double>(budget)));
    Remember(votes, persistence, weights);
  }
  if (following.reach > 0) {
    const auto share = static_cast<int64_t>(following.share * static_cast<double>(budget));
    basket.TakeByVote(votes, basket.left() - share);
    basket.TakeByVote(Loans(spans, votes, following.reach), basket.left());
  }
  if (basket.TakeByVote(votes, basket.left())) basket.TakeNewest();
  return std::move(basket).picked();
}

std::vector<TokenRange> ToRanges(std::span<const Span> spans, std::span<const int32_t> picked, TokenRange first) {
  std::vector<TokenRange> ranges;
  if (first.count() > 0) ranges.push_back(first);
  for (const int32_t s : picked) {
    const Span& span = spans[static_cast<size_t>(s)];
    if (!ranges.empty() && ranges.back().end == span.begin) {
      ranges.back().end = span.end;
    } else {
      ranges.push_back({span.begin, span.end});
    }
  }
  return ranges;
}

}  // namespace ltri
