// BandDrawer: a band of attention as a text of given spans would have it, for benches.
#ifndef LTRI_ATTENTION_BAND_DRAWER_H_
#define LTRI_ATTENTION_BAND_DRAWER_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "spans/span.h"

namespace ltri {

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

}  // namespace ltri

#endif  // LTRI_ATTENTION_BAND_DRAWER_H_
