// SpanDirectory: where in a list of spans a token is, without a search.
#ifndef LTRI_SPANS_SPAN_DIRECTORY_H_
#define LTRI_SPANS_SPAN_DIRECTORY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "spans/span.h"

namespace ltri {

class SpanDirectory {
 public:
  static constexpr int64_t kBlock = 64;  // tokens

  // Spans come in text order.
  void Append(const Span& span) {
    while (static_cast<int64_t>(first_.size()) * kBlock < span.end) first_.push_back(count_);
    ++count_;
  }

  // Keeps those of `spans`, the first of what was appended.
  void Truncate(std::span<const Span> spans) {
    count_ = static_cast<int32_t>(spans.size());
    const int64_t end = spans.empty() ? 0 : spans.back().end;
    first_.resize(static_cast<size_t>((end + kBlock - 1) / kBlock));
  }

  // The first span that ends after token `block * kBlock`; the number of spans when there is none.
  int64_t First(int64_t block) const {
    return block < static_cast<int64_t>(first_.size()) ? first_[static_cast<size_t>(block)] : count_;
  }

  // First(block) will be asked for soon.
  void Prefetch(int64_t block) const {
    if (block < static_cast<int64_t>(first_.size())) __builtin_prefetch(&first_[static_cast<size_t>(block)]);
  }

  int64_t bytes() const { return static_cast<int64_t>(first_.capacity() * sizeof(int32_t)); }

 private:
  int32_t count_ = 0;
  std::vector<int32_t> first_;  // [blocks]
};

}  // namespace ltri

#endif  // LTRI_SPANS_SPAN_DIRECTORY_H_
