// SpanSearch: what queries of one head find in a SpanIndex. Keeps its scratch from search to search; one thread.
#ifndef LTRI_MEMORY_SPAN_SEARCH_H_
#define LTRI_MEMORY_SPAN_SEARCH_H_

#include <cstdint>
#include <vector>

#include "memory/span_index.h"

namespace ltri {

// Relevance of a span: the best dot product of the query with its vectors.
struct Found {
  std::vector<int32_t> spans;    // those that were compared, in no order, each once
  std::vector<float> relevance;  // theirs; then one a closed cluster: ln of (spans in it x exp of its centroid's)
  std::vector<float> log_spans;  // ln of the number of spans in each closed cluster
};

class SpanSearch {
 public:
  // queries: [rows, head_dim], un-rotated; scale: of dot products; probes: clusters that each query opens.
  void Start(const SpanIndex& index, int64_t head, const float* queries, int64_t rows, float scale, int64_t probes);

  // What query `row` finds.
  void Find(int64_t row, Found* found);

 private:
  void FindOpen(int64_t row, Found* found) const;
  void FindClustered(int64_t row, Found* found);
  float Cutoff(const float* centroids, int64_t count);

  const SpanIndex::Head* head_ = nullptr;
  const float* queries_ = nullptr;
  int64_t head_dim_ = 0;
  float scale_ = 1;
  int64_t probes_ = 0;
  std::vector<float> open_;      // [rows, open vectors]
  std::vector<float> clusters_;  // [rows, clusters]
  std::vector<float> dots_, sorted_;
  std::vector<int16_t> rounded_;  // [head_dim], the query
  std::vector<float> best_;       // [spans] -infinity between searches
};

}  // namespace ltri

#endif  // LTRI_MEMORY_SPAN_SEARCH_H_
