// SpanIndex: the vectors that stand for one layer's stored spans, in 8 bits, on two levels.
//
// Vectors are keys minus the head's mean key. The mean is most of an un-rotated key's norm and shifts all scores of a
// query alike: taking it off changes no vote and leaves the 8 bits to what differs. It is fixed before the first span.
//
// Every kSegment vectors of a head are grouped into clusters of about kClusterSize that point the same way; a search
// compares a query with the clusters' centroids and opens the best ones (as RetroInfer does, arXiv 2505.02922). The
// newest vectors, less than a segment, are not clustered yet and are all compared.
#ifndef LTRI_MEMORY_SPAN_INDEX_H_
#define LTRI_MEMORY_SPAN_INDEX_H_

#include <cstdint>
#include <span>
#include <vector>

#include "ops/index_scan.h"

namespace ltri {

class SpanIndex {
 public:
  static constexpr int64_t kSegment = 1024;
  static constexpr int64_t kClusterSize = 16;

  // heads: KV heads, or query heads when each has vectors of its own. kept: [heads] those that are searched; the
  // others keep no vectors; empty: all. clustered: false leaves all vectors open.
  SpanIndex(int64_t heads, int64_t head_dim, std::vector<uint8_t> kept = {}, bool clustered = true);

  int64_t heads() const { return heads_; }
  int64_t head_dim() const { return head_dim_; }
  int64_t spans() const { return static_cast<int64_t>(first_.size()) - 1; }

  // mean: [heads, head_dim]. Before the first Append.
  void SetMean(std::vector<float> mean) { mean_ = std::move(mean); }
  bool has_mean() const { return !mean_.empty(); }

  // One more span of `count` > 0 vectors a head. vectors: [heads, count, head_dim], un-rotated.
  void Append(const float* vectors, int64_t count);

  // Clusters the segments that have become full.
  void Seal();

  // Keeps the first `spans` spans.
  void Truncate(int64_t spans);

  // One head's vectors.
  struct Head {
    std::vector<int8_t> vectors;             // [vectors, head_dim]; those of sealed segments lie cluster by cluster
    std::vector<float> scales;               // [vectors]
    std::vector<int32_t> owners;             // [vectors] the span that each stands for; ascending where open
    std::vector<int8_t> centroids;           // [clusters, head_dim] means of their vectors
    std::vector<float> centroid_scales;      // [clusters]
    std::vector<int32_t> cluster_first{0};   // [clusters + 1] the first vector of each
    std::vector<float> cluster_log_spans{};  // [clusters] ln of the number of spans it stands for, about

    IndexView All() const { return {vectors.data(), scales.data(), static_cast<int64_t>(scales.size())}; }
    IndexView Centroids() const {
      return {centroids.data(), centroid_scales.data(), static_cast<int64_t>(centroid_scales.size())};
    }
    // Vectors from here on are not clustered.
    int64_t open_begin() const { return cluster_first.back(); }
  };
  const Head& head(int64_t head) const { return head_[static_cast<size_t>(head)]; }

  int64_t bytes() const;

 private:
  void SealHead(Head& head, int64_t begin, int64_t end, float spans_a_vector);
  void OpenHead(Head& head, int64_t begin);

  int64_t heads_;
  int64_t head_dim_;
  std::vector<uint8_t> kept_;  // [heads]
  bool clustered_;
  std::vector<float> mean_;            // [heads, head_dim]
  std::vector<int64_t> first_ = {0};   // [spans + 1] vectors a head before each span
  std::vector<int64_t> sealed_ = {0};  // [segments + 1] spans before each sealed segment
  std::vector<Head> head_;
};

}  // namespace ltri

#endif  // LTRI_MEMORY_SPAN_INDEX_H_
