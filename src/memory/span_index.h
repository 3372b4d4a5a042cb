// SpanIndex: the vectors that stand for one layer's stored spans, in 8 bits, on two levels.
//
// Vectors are keys minus the head's mean key. The mean is most of an un-rotated key's norm and shifts all scores of a
// query alike: taking it off changes no vote and leaves the 8 bits to what differs. It is fixed before the first span.
//
// Every kSegment vectors of a head make a segment, grouped into clusters of about kClusterSize that point the same way;
// a search compares a query with the clusters' centroids and opens the best ones (as RetroInfer does, arXiv
// 2505.02922). The newest vectors, less than a segment, are open: all are compared. Segments never change, so copies
// share them, and their vectors may be on disk; centroids stay in RAM.
//
// Indexes of several texts can be joined. Each part keeps its mean; what a query makes of their difference is added to
// its scores, so that they compare.
#ifndef LTRI_MEMORY_SPAN_INDEX_H_
#define LTRI_MEMORY_SPAN_INDEX_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/serial.h"
#include "memory/index_segment.h"
#include "memory/tier.h"
#include "ops/index_scan.h"

namespace ltri {

class SpanIndex {
 public:
  static constexpr int64_t kSegment = 1024;
  static constexpr int64_t kClusterSize = 16;

  // heads: KV heads, or query heads when each has vectors of its own. kept: [heads] those that are searched; the
  // others keep no vectors; empty: all. clustered: false leaves all vectors open.
  SpanIndex(int64_t heads, int64_t head_dim, std::shared_ptr<Tier> tier, std::vector<uint8_t> kept = {},
            bool clustered = true);

  // One like this, without anything in it.
  SpanIndex Empty() const;

  int64_t heads() const { return heads_; }
  int64_t head_dim() const { return head_dim_; }
  int64_t spans() const { return open_first_span_ + static_cast<int64_t>(open_counts_.size()); }

  // mean: [heads, head_dim]. Before the first Append.
  void SetMean(std::vector<float> mean) { means_ = {std::make_shared<const std::vector<float>>(std::move(mean))}; }
  bool has_mean() const { return !means_.empty(); }

  // One more span of `count` > 0 vectors a head. vectors: [heads, count, head_dim], un-rotated.
  void Append(const float* vectors, int64_t count);
  // The same of vectors that are numbers already, minus the mean. numbers: [kept heads, count, head_dim]; scales:
  // [kept heads, count].
  void AppendNumbers(const int8_t* numbers, const float* scales, int64_t count);

  // Clusters the segments that have become full.
  void Seal();
  // Makes a last segment of what is open, however little: nothing of this text will follow.
  void SealAll();

  // Puts the spans of another index, without open vectors, behind these, which have none either.
  void AppendIndex(const SpanIndex& other);

  // Keeps the first `spans` spans. Error: what a segment that is cut had on disk cannot be read; nothing changes then.
  Status Truncate(int64_t spans);

  // The blocks that a search reads.
  void AppendBlocks(std::vector<Block*>* blocks) const;

  // A group of like vectors of one head.
  struct Cluster {
    int32_t segment;
    uint16_t begin;  // vectors of the segment
    uint16_t end;
  };
  struct Head {
    // Open vectors.
    std::vector<int8_t> vectors;  // [open, head_dim]
    std::vector<float> scales;    // [open]
    std::vector<int32_t> owners;  // [open] the span that each stands for, ascending
    // Of all segments.
    std::vector<Cluster> clusters;
    std::vector<int8_t> centroids;         // [clusters, head_dim]
    std::vector<float> centroid_scales;    // [clusters]
    std::vector<float> cluster_log_spans;  // [clusters] ln of the number of spans it stands for, about

    IndexView Open() const { return {vectors.data(), scales.data(), static_cast<int64_t>(scales.size())}; }
    IndexView Centroids() const {
      return {centroids.data(), centroid_scales.data(), static_cast<int64_t>(centroid_scales.size())};
    }
  };
  const Head& head(int64_t head) const { return head_[static_cast<size_t>(head)]; }

  struct Sealed {
    std::shared_ptr<const IndexSegment> segment;
    int64_t first_span = 0;
    int32_t part = 0;            // which text it is of
    BlockRef summary = nullptr;  // all but the vectors, in a file; null: not saved yet
  };
  const std::vector<Sealed>& sealed() const { return sealed_; }

  // The mean [heads, head_dim] of each text; open vectors are of the last.
  using Mean = std::shared_ptr<const std::vector<float>>;
  const std::vector<Mean>& means() const { return means_; }

  // Where a head's vectors are in segments; -1: it keeps none.
  int64_t kept(int64_t head) const { return kept_[static_cast<size_t>(head)]; }

  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state);
  // What Save wrote, for an index like this one, which is empty. Reads the summaries of segments.
  Status Restore(const std::shared_ptr<BlockFile>& file, StateReader* state);

  // Of the blocks that are in RAM, and of everything else.
  int64_t block_bytes() const;
  int64_t BesideBlocks() const;

 private:
  void SealFront(int64_t spans);
  void SealHead(int64_t head, int64_t count, IndexSegment* segment);
  void OpenLast();
  std::vector<std::byte> Summarise(int64_t segment) const;
  void AddSegment(const std::shared_ptr<BlockFile>& file, int32_t part, int64_t vectors, StateReader* from);

  int64_t heads_;
  int64_t head_dim_;
  std::shared_ptr<Tier> tier_;
  bool clustered_;
  std::vector<int64_t> kept_;  // [heads] number among those that are kept, or -1
  int64_t kept_heads_ = 0;
  std::vector<Mean> means_;
  std::vector<Sealed> sealed_;
  std::vector<int32_t> open_counts_;  // [open spans] vectors a head
  int64_t open_first_span_ = 0;
  int64_t open_vectors_ = 0;  // of a kept head
  std::vector<Head> head_;
};

}  // namespace ltri

#endif  // LTRI_MEMORY_SPAN_INDEX_H_
