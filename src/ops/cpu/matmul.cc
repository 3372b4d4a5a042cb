#include "ops/matmul.h"

#include <algorithm>

#include "ops/cpu/matmul_rows.h"
#include "weights/ggml_types.h"

namespace ltri {

void Matmul(ThreadPool& pool, std::span<const Linear> layers, const float* x, RowCount rows) {
  if (rows.block > 0) MatmulBlock(pool, layers, x, rows.block);
  if (rows.single > 0) MatmulSingle(pool, layers, x, rows.block, rows.single);
}

void UnpackRow(const Matrix& w, int64_t index, float* y) {
  DequantizeRow(w.type, w.data + index * w.row_bytes, y, w.cols);
}

}  // namespace ltri
