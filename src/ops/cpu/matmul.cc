#include "ops/matmul.h"

#include <algorithm>
#include <vector>

#include "ggml-cpu.h"
#include "ggml.h"
#include "ops/gemm.h"

namespace ltri {
namespace {

// Most floats of W unpacked at a time. The product packs x anew for each tile, so tiles are large; a megabyte still
// comes back from the nearer caches.
constexpr int64_t kTileFloats = 256 * 1024;

ggml_type TypeOf(const Matrix& w) { return static_cast<ggml_type>(w.type); }

// ggml's tables (f16 to f32 among them) are filled on first use.
const ggml_type_traits_cpu* CpuTraits(ggml_type type) {
  static const bool ready = [] {
    ggml_cpu_init();
    return true;
  }();
  (void)ready;
  return ggml_get_type_traits_cpu(type);
}

void Unpack(const Matrix& w, int64_t first, int64_t count, float* out) {
  const auto to_float = ggml_get_type_traits(TypeOf(w))->to_float;
  for (int64_t r = 0; r < count; ++r) to_float(w.data + (first + r) * w.row_bytes, out + r * w.cols, w.cols);
}

// Rows of W a task takes: equal shares, a whole number of them for each of 2 or 4 threads. A product's sums depend on
// where a tile ends, so the tiles must not depend on the number of threads.
int64_t TileRows(const Matrix& w) {
  constexpr int64_t kShares = 4;
  const int64_t most = std::max<int64_t>(16, kTileFloats / w.cols);
  const int64_t rounds = (w.rows + most * kShares - 1) / (most * kShares);
  const int64_t tile = (w.rows + rounds * kShares - 1) / (rounds * kShares);
  return (tile + 15) / 16 * 16;
}

void BlockRows(ThreadPool& pool, const Matrix& w, const float* x, int64_t rows, const float* bias, float* y) {
  const int64_t tile = TileRows(w);
  pool.Run((w.rows + tile - 1) / tile, [&](int64_t task, int) {
    const int64_t first = task * tile;
    const int64_t count = std::min(tile, w.rows - first);
    const float* unpacked = reinterpret_cast<const float*>(w.data + first * w.row_bytes);
    if (TypeOf(w) != GGML_TYPE_F32) {
      thread_local std::vector<float> buffer;  // kept: new memory would be cleared page by page
      buffer.resize(std::max(buffer.size(), static_cast<size_t>(tile * w.cols)));
      Unpack(w, first, count, buffer.data());
      unpacked = buffer.data();
    }
    GemmTransposed(rows, count, w.cols, 1.0F, x, w.cols, unpacked, w.cols, 0.0F, y + first, w.rows);
    if (bias == nullptr) return;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t j = first; j < first + count; ++j) y[r * w.rows + j] += bias[j];
    }
  });
}

void SingleRows(ThreadPool& pool, const Matrix& w, const float* x, int64_t rows, const float* bias, float* y) {
  const ggml_type_traits_cpu* traits = CpuTraits(TypeOf(w));
  const ggml_type_traits_cpu* partner = CpuTraits(traits->vec_dot_type);
  const size_t packed_bytes = ggml_row_size(traits->vec_dot_type, w.cols);
  std::vector<std::byte> packed;
  const auto* operand = reinterpret_cast<const std::byte*>(x);
  if (traits->vec_dot_type != GGML_TYPE_F32) {
    packed.resize(packed_bytes * static_cast<size_t>(rows));
    for (int64_t r = 0; r < rows; ++r) {
      partner->from_float(x + r * w.cols, packed.data() + static_cast<size_t>(r) * packed_bytes, w.cols);
    }
    operand = packed.data();
  }
  // Several tasks a thread level out what another process takes; each is long enough to hide the hand-over.
  const int64_t tile = std::max<int64_t>(16, (w.rows + pool.threads() * 4 - 1) / (pool.threads() * 4));
  pool.Run((w.rows + tile - 1) / tile, [&](int64_t task, int) {
    const int64_t last = std::min(w.rows, (task + 1) * tile);
    for (int64_t j = task * tile; j < last; ++j) {
      for (int64_t r = 0; r < rows; ++r) {
        float sum = 0;
        traits->vec_dot(static_cast<int>(w.cols), &sum, 0, w.data + j * w.row_bytes, 0,
                        operand + static_cast<size_t>(r) * packed_bytes, 0, 1);
        y[r * w.rows + j] = sum + (bias != nullptr ? bias[j] : 0.0F);
      }
    }
  });
}

}  // namespace

void Matmul(ThreadPool& pool, const Matrix& w, const float* x, RowCount rows, const float* bias, float* y) {
  if (rows.block > 0) BlockRows(pool, w, x, rows.block, bias, y);
  if (rows.single > 0) SingleRows(pool, w, x + rows.block * w.cols, rows.single, bias, y + rows.block * w.rows);
}

void UnpackRow(const Matrix& w, int64_t index, float* y) {
  if (TypeOf(w) == GGML_TYPE_F32) {
    std::copy_n(reinterpret_cast<const float*>(w.data + index * w.row_bytes), w.cols, y);
  } else {
    Unpack(w, index, 1, y);
  }
}

}  // namespace ltri
