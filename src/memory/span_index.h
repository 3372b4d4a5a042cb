// SpanIndex: the vectors that stand for one layer's stored spans, in 8 bits.
//
// Vectors are keys minus the head's mean key. The mean is most of an un-rotated key's norm and shifts all scores of a
// query alike: taking it off changes no vote and leaves the 8 bits to what differs. It is fixed before the first span.
#ifndef LTRI_MEMORY_SPAN_INDEX_H_
#define LTRI_MEMORY_SPAN_INDEX_H_

#include <cstdint>
#include <vector>

#include "ops/index_scan.h"

namespace ltri {

class SpanIndex {
 public:
  // heads: KV heads, or query heads when each has vectors of its own.
  SpanIndex(int64_t heads, int64_t head_dim) : heads_(heads), head_dim_(head_dim), head_(static_cast<size_t>(heads)) {}

  int64_t heads() const { return heads_; }
  int64_t spans() const { return static_cast<int64_t>(first_.size()) - 1; }

  // mean: [heads, head_dim]. Before the first Append.
  void SetMean(std::vector<float> mean) { mean_ = std::move(mean); }
  bool has_mean() const { return !mean_.empty(); }

  // One more span of `count` > 0 vectors a head. vectors: [heads, count, head_dim], un-rotated.
  void Append(const float* vectors, int64_t count);

  // Keeps the first `spans` spans.
  void Truncate(int64_t spans);

  IndexView View(int64_t head) const;
  int64_t bytes() const;

 private:
  struct Head {
    std::vector<int8_t> vectors;  // [vectors, head_dim]
    std::vector<float> scales;    // [vectors]
  };

  int64_t heads_;
  int64_t head_dim_;
  std::vector<float> mean_;           // [heads, head_dim]
  std::vector<int64_t> first_ = {0};  // [spans + 1]
  std::vector<Head> head_;
};

}  // namespace ltri

#endif  // LTRI_MEMORY_SPAN_INDEX_H_
