// Relevance of spans: the best dot product of a query with a span's index vectors.
#ifndef LTRI_OPS_INDEX_SCAN_H_
#define LTRI_OPS_INDEX_SCAN_H_

#include <cstdint>

#include "base/thread_pool.h"

namespace ltri {

// Index vectors of one head, in 8 bits, in the order of their spans.
struct IndexView {
  const int8_t* vectors = nullptr;  // [count, head_dim]
  const float* scales = nullptr;    // [count]
  const int64_t* first = nullptr;   // [spans + 1]: vectors of span s are [first[s], first[s + 1]), never empty
  int64_t spans = 0;
};

// relevance[r][s] = max over vectors v of span s of (queries[r] . v) * scale.
// queries: [rows, head_dim]; relevance: [rows, view.spans].
void IndexScan(ThreadPool& pool, const IndexView& view, const float* queries, int64_t rows, int64_t head_dim,
               float scale, float* relevance);

}  // namespace ltri

#endif  // LTRI_OPS_INDEX_SCAN_H_
