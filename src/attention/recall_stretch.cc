// Recall::Stretch: a text that is longer than what was read, for benches.
//
// Keys and values are copies of those read; spans are cut anew from a band that is drawn with the lengths of the spans
// found so far, and indexed from the copied keys. So cutter, index and votes are what a text of that length leaves
// behind, and everything else works on it.
#include <algorithm>
#include <cmath>
#include <vector>

#include "attention/recall.h"

namespace ltri {
namespace {

constexpr int64_t kRows = 64;  // drawn at once

// Rows of attention that fall off with distance and end where a span begins.
class BandDrawer {
 public:
  // spans: whose lengths are repeated.
  BandDrawer(const std::vector<Span>& spans, int64_t width) : width_(width) {
    for (const Span& span : spans) lengths_.push_back(span.length());
    if (lengths_.empty()) lengths_.push_back(std::max<int64_t>(1, width / 8));
    left_ = lengths_[0];
    for (int64_t lag = 1; lag <= width; ++lag) inside_.push_back(0.3F / std::sqrt(static_cast<float>(lag)));
  }

  // The next `count` rows, [count, width].
  const std::vector<float>& Draw(int64_t count) {
    rows_.assign(static_cast<size_t>(count * width_), 0.01F);
    for (int64_t i = 0; i < count; ++i) {
      if (left_ == 0) {
        next_ = (next_ + 1) % lengths_.size();
        left_ = lengths_[next_];
      }
      const int64_t before = lengths_[next_] - left_--;  // tokens of this span before this one
      std::copy_n(inside_.begin(), std::min(before, width_), rows_.begin() + i * width_);
    }
    return rows_;
  }

 private:
  int64_t width_;
  std::vector<int64_t> lengths_;
  size_t next_ = 0;
  int64_t left_ = 0;
  std::vector<float> inside_;
  std::vector<float> rows_;
};

}  // namespace

void Recall::Stretch(ThreadPool& pool, int64_t tokens) {
  const int64_t before = size();
  LayeredMethod::Stretch(pool, tokens);
  pool.Run(config().layers, [&](int64_t layer, int) {
    if (config().IsSliding(layer)) return;
    SpanMemory& memory = spans_[static_cast<size_t>(layer)];
    const int64_t width = options().max_span;
    BandDrawer band(memory.spans(), width);
    for (int64_t begin = before; begin < tokens; begin += kRows) {
      const int64_t count = std::min(kRows, tokens - begin);
      memory.Push(begin, count,
                  memory.NeedsBand() ? std::span<const float>(band.Draw(count)) : std::span<const float>(), width);
    }
    memory.StoreUntil(tokens - options().window, store(layer));
    memory.Tidy();
  });
}

}  // namespace ltri
