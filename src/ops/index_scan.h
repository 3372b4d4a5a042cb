// Dot products of queries with index vectors.
#ifndef LTRI_OPS_INDEX_SCAN_H_
#define LTRI_OPS_INDEX_SCAN_H_

#include <cstdint>

namespace ltri {

// 8-bit vectors that lie one after another.
struct IndexView {
  const int8_t* vectors = nullptr;  // [count, head_dim]
  const float* scales = nullptr;    // [count]
  int64_t count = 0;

  IndexView Part(int64_t begin, int64_t end, int64_t head_dim) const {
    return {vectors + begin * head_dim, scales + begin, end - begin};
  }
};

// query = the result * rounded, 16 bits: as finely as sums of products with 8-bit numbers fit 32. Both [head_dim].
float RoundQuery(const float* query, int64_t head_dim, int16_t* rounded);

// dots[v] = (query . vector v) * scales[v] * scale, v < view.count; scale: what RoundQuery returned, and more.
void IndexScan(const IndexView& view, const int16_t* query, int64_t head_dim, float scale, float* dots);

// dots[r * stride + v] = (queries[r] . vector v) * scales[v] * scale, v < view.count. queries: [rows, head_dim].
// Few queries are rounded to 16 bits. On one thread; callers split the work.
void IndexScan(const IndexView& view, const float* queries, int64_t rows, int64_t head_dim, float scale, float* dots,
               int64_t stride);

}  // namespace ltri

#endif  // LTRI_OPS_INDEX_SCAN_H_
