// SpanSearch: what queries of one head find in a SpanIndex. Keeps its scratch from search to search; one thread.
#ifndef LTRI_MEMORY_SPAN_SEARCH_H_
#define LTRI_MEMORY_SPAN_SEARCH_H_

#include <cstdint>
#include <span>
#include <vector>

#include "memory/span_index.h"

namespace ltri {

// Relevance of a span: the best dot product of the query with its vectors.
struct Found {
  std::vector<int32_t> spans;        // those that were compared, in no order, each once
  std::vector<float> relevance;      // theirs; then one a cluster: ln of (spans in it x exp of its centroid's), or
                                     // kOpened
  std::span<const float> log_spans;  // ln of the number of spans in each cluster

  static constexpr float kOpened = -1e30F;  // the cluster's spans were compared: exp of this is zero
};

class SpanSearch {
 public:
  static constexpr int64_t kPiece = 2048;  // centroids that are compared at a time

  // queries: [rows, head_dim], un-rotated; scale: of dot products; probes: clusters that each query opens. The index's
  // blocks are held.
  void Start(const SpanIndex& index, int64_t head, const float* queries, int64_t rows, float scale, int64_t probes);

  // The same by several threads: Prepare, then every piece of the centroids.
  void Prepare(const SpanIndex& index, int64_t head, const float* queries, int64_t rows, float scale, int64_t probes);
  int64_t Pieces() const { return (head_->Centroids().count + kPiece - 1) / kPiece; }
  void Compare(int64_t piece);

  // What query `row` finds.
  void Find(int64_t row, Found* found);

 private:
  void FindOpen(int64_t row, Found* found) const;
  void FindClustered(int64_t row, Found* found);
  void Prefetch(const SpanIndex::Cluster& cluster) const;
  void Scan(const SpanIndex::Cluster& cluster, float scale, float shift, std::vector<int32_t>* spans);
  void ShiftParts(int64_t rows);
  float Shift(int64_t row, int32_t part) const;
  void OpenBest(const float* centroids, int64_t count);

  const SpanIndex* index_ = nullptr;
  const SpanIndex::Head* head_ = nullptr;
  int64_t number_ = 0;  // of the head
  const float* queries_ = nullptr;
  int64_t rows_ = 0;
  int64_t head_dim_ = 0;
  float scale_ = 1;
  int64_t probes_ = 0;
  std::vector<float> open_;      // [rows, open vectors]
  std::vector<float> clusters_;  // [rows, clusters]
  // [rows, parts] what a query makes of the mean that was taken off a part's vectors, less that of the first part.
  // Empty for one part.
  std::vector<float> shifts_;
  std::vector<int32_t> opened_;  // clusters
  std::vector<float> dots_, highest_;
  std::vector<int16_t> rounded_;  // [head_dim], the query
  std::vector<float> best_;       // [spans] -infinity between searches
};

}  // namespace ltri

#endif  // LTRI_MEMORY_SPAN_SEARCH_H_
