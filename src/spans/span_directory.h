// SpanDirectory: where in a list of spans a token is, without a search and without a look at the spans.
#ifndef LTRI_SPANS_SPAN_DIRECTORY_H_
#define LTRI_SPANS_SPAN_DIRECTORY_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "spans/span.h"

namespace ltri {

// Spans come in text order and follow each other. Where joined texts meet, tokens that are no text lie between two
// spans: here they count as the first one's.
class SpanDirectory {
 public:
  static constexpr int64_t kBlock = 64;  // tokens

  void Append(const Span& span) {
    if (count_ == 0) begin_ = span.begin;
    Mark(span.begin);
    end_ = span.end;
  }

  // Keeps those of `spans`, the first of what was appended.
  void Truncate(std::span<const Span> spans) {
    count_ = static_cast<int32_t>(spans.size());
    if (spans.empty()) return blocks_.clear();
    end_ = spans.back().end;
    const int64_t last = spans.back().begin;
    blocks_.resize(static_cast<size_t>(last / kBlock + 1));
    blocks_.back().begins &= UpTo(last);
  }

  // Calls visit(span, tokens) for each span that has some of tokens [begin, end), and how many.
  template <typename Visit>
  void ForSpans(int64_t begin, int64_t end, Visit&& visit) const {
    if (count_ == 0) return;
    begin = std::max(begin, begin_);
    end = std::min(end, end_);
    if (begin >= end) return;
    int32_t span = Rank(begin) - 1;
    while (begin < end) {
      const int64_t next = NextBegin(begin, end);
      visit(span++, next - begin);
      begin = next;
    }
  }

  // What ForSpans reads of `token` will be read soon.
  void Prefetch(int64_t token) const {
    if (token / kBlock < static_cast<int64_t>(blocks_.size())) {
      __builtin_prefetch(&blocks_[static_cast<size_t>(token / kBlock)]);
    }
  }

  int64_t bytes() const { return static_cast<int64_t>(blocks_.capacity() * sizeof(Block)); }

 private:
  struct Block {
    uint64_t begins = 0;  // bit i: a span begins with the block's token i
    int32_t before = 0;   // spans that begin before the block
  };

  // The bits of a block up to that of `token`.
  static uint64_t UpTo(int64_t token) { return ~uint64_t{0} >> (kBlock - 1 - token % kBlock); }

  void Mark(int64_t token) {
    while (static_cast<int64_t>(blocks_.size()) * kBlock <= token) blocks_.push_back({.begins = 0, .before = count_});
    blocks_.back().begins |= uint64_t{1} << (token % kBlock);
    ++count_;
  }

  // Spans that begin at or before `token`.
  int32_t Rank(int64_t token) const {
    const auto at = static_cast<size_t>(token / kBlock);
    if (at >= blocks_.size()) return count_;
    return blocks_[at].before + Ones(blocks_[at].begins & UpTo(token));
  }

  // std::popcount is a call where the CPU is not known to have the instruction.
  static int32_t Ones(uint64_t bits) {
    bits -= (bits >> 1) & 0x5555555555555555;
    bits = (bits & 0x3333333333333333) + ((bits >> 2) & 0x3333333333333333);
    return static_cast<int32_t>((((bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101) >> 56);
  }

  // The first token behind `token` that begins a span, at most `end`.
  int64_t NextBegin(int64_t token, int64_t end) const {
    uint64_t passed = UpTo(token);
    for (auto at = static_cast<size_t>(token / kBlock); at < blocks_.size(); ++at, passed = 0) {
      const auto first = static_cast<int64_t>(at) * kBlock;
      if (first >= end) return end;
      const uint64_t begins = blocks_[at].begins & ~passed;
      if (begins != 0) return std::min(end, first + std::countr_zero(begins));
    }
    return end;
  }

  int32_t count_ = 0;
  int64_t begin_ = 0;  // of the first span
  int64_t end_ = 0;    // of the last span
  std::vector<Block> blocks_;
};

}  // namespace ltri

#endif  // LTRI_SPANS_SPAN_DIRECTORY_H_
