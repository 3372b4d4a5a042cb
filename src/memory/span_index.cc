#include "memory/span_index.h"

#include "ops/quantize.h"

namespace ltri {

void SpanIndex::Append(const float* vectors, int64_t count) {
  std::vector<float> centred(static_cast<size_t>(head_dim_));
  for (int64_t h = 0; h < heads_; ++h) {
    Head& head = head_[static_cast<size_t>(h)];
    const float* mean = mean_.data() + h * head_dim_;
    for (int64_t i = 0; i < count; ++i, vectors += head_dim_) {
      for (int64_t j = 0; j < head_dim_; ++j) centred[static_cast<size_t>(j)] = vectors[j] - mean[j];
      const size_t at = head.vectors.size();
      head.vectors.resize(at + static_cast<size_t>(head_dim_));
      head.scales.push_back(QuantizeVector(centred.data(), head_dim_, head.vectors.data() + at));
    }
  }
  first_.push_back(first_.back() + count);
}

void SpanIndex::Truncate(int64_t spans) {
  if (spans >= this->spans()) return;
  if (spans == 0) mean_.clear();  // another text may follow
  first_.resize(static_cast<size_t>(spans) + 1);
  for (Head& head : head_) {
    head.vectors.resize(static_cast<size_t>(first_.back() * head_dim_));
    head.scales.resize(static_cast<size_t>(first_.back()));
  }
}

IndexView SpanIndex::View(int64_t head) const {
  const Head& h = head_[static_cast<size_t>(head)];
  return {h.vectors.data(), h.scales.data(), first_.data(), spans()};
}

int64_t SpanIndex::bytes() const {
  int64_t bytes = static_cast<int64_t>(first_.capacity() * sizeof(int64_t));
  for (const Head& head : head_) {
    bytes += static_cast<int64_t>(head.vectors.capacity() + head.scales.capacity() * sizeof(float));
  }
  return bytes;
}

}  // namespace ltri
