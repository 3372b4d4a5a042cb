// Decoded rows: x is rounded once and multiplied with the weights as they lie in memory.
//
// Memory is the limit here, so every weight is read once, in order, and all layers that read the same x share one
// hand-over to the threads. An output is one dot product, whoever computes it.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "ggml-cpu.h"
#include "ggml.h"
#include "ops/cpu/matmul_rows.h"
#include "ops/cpu/matvec.h"

namespace ltri {
namespace {

constexpr int64_t kMostLayers = 4;
constexpr int64_t kChunkBytes = 32 * 1024;  // of weights that stay in cache while several rows of x use them

constexpr int64_t kAhead = 8192;  // bytes
// Tasks a thread: more would level out better what other processes take, but at the start of each memory is waited for.
constexpr int64_t kTasks = 2;

// ggml's tables (f16 to f32 among them) are filled on first use.
const ggml_type_traits_cpu* CpuTraits(int type) {
  static const bool ready = [] {
    ggml_cpu_init();
    return true;
  }();
  (void)ready;
  return ggml_get_type_traits_cpu(static_cast<ggml_type>(type));
}

// x as the weights of one layer want it.
struct Operand {
  bool own = false;                 // for Matvec, else for ggml
  ggml_type type = GGML_TYPE_F32;   // ggml's partner type
  const std::byte* rows = nullptr;  // one row each `row_bytes`
  int64_t row_bytes = 0;
};

Operand OperandOf(const Matrix& w) {
  Operand operand;
  operand.own = HasMatvec(w.type);
  if (operand.own) {
    operand.row_bytes = VectorParts(w.cols) * static_cast<int64_t>(sizeof(VectorPart));
  } else {
    operand.type = CpuTraits(w.type)->vec_dot_type;
    operand.row_bytes = static_cast<int64_t>(ggml_row_size(operand.type, w.cols));
  }
  return operand;
}

void Round(const Operand& operand, const float* x, int64_t rows, int64_t cols, VectorPart* to) {
  for (int64_t r = 0; r < rows; ++r) {
    std::byte* row = reinterpret_cast<std::byte*>(to) + r * operand.row_bytes;
    if (operand.own) {
      RoundVector(x + r * cols, cols, reinterpret_cast<VectorPart*>(row));
    } else {
      CpuTraits(operand.type)->from_float(x + r * cols, row, cols);
    }
  }
}

// Every kind of operand that the layers want, made once. buffer: kept from call to call.
void MakeOperands(std::span<const Linear> layers, const float* x, int64_t rows, std::vector<VectorPart>& buffer,
                  Operand* operands) {
  const int64_t cols = layers[0].w->cols;
  const auto parts = [&](const Operand& operand) {
    constexpr auto kPart = static_cast<int64_t>(sizeof(VectorPart));
    return (operand.row_bytes * rows + kPart - 1) / kPart;
  };
  int64_t total = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    operands[i] = OperandOf(*layers[i].w);
    total += parts(operands[i]);
  }
  if (static_cast<int64_t>(buffer.size()) < total) buffer.resize(static_cast<size_t>(total));
  VectorPart* next = buffer.data();
  for (size_t i = 0; i < layers.size(); ++i) {
    Operand& operand = operands[i];
    const auto* same = std::find_if(operands, operands + i, [&](const Operand& other) {
      return other.own == operand.own && other.type == operand.type;
    });
    if (same != operands + i) {
      operand.rows = same->rows;
    } else if (!operand.own && operand.type == GGML_TYPE_F32) {
      operand.rows = reinterpret_cast<const std::byte*>(x);
    } else {
      Round(operand, x, rows, cols, next);
      operand.rows = reinterpret_cast<const std::byte*>(next);
      next += parts(operand);
    }
  }
}

// y[i] = (row first + i of W) . x for i < count.
void Multiply(const Matrix& w, int64_t first, int64_t count, const Operand& operand, const std::byte* x, float* y) {
  if (operand.own) return Matvec(w, first, count, reinterpret_cast<const VectorPart*>(x), y);
  const auto dot = CpuTraits(w.type)->vec_dot;
  for (int64_t i = 0; i < count; ++i) {
    const std::byte* row = w.data + (first + i) * w.row_bytes;
    // By itself the hardware stops fetching at the end of a page; a long row is fetched by its own reading.
    for (int64_t at = 0; at < std::min<int64_t>(w.row_bytes, 4096); at += 64) __builtin_prefetch(row + kAhead + at);
    dot(static_cast<int>(w.cols), y + i, 0, row, 0, x, 0, 1);
  }
}

void MultiplyTile(const Linear& layer, int64_t begin, int64_t end, const Operand& operand, int64_t first_row,
                  int64_t rows) {
  const Matrix& w = *layer.w;
  const std::byte* start = w.data + begin * w.row_bytes;
  for (int64_t at = 0; at < std::min(kAhead, (end - begin) * w.row_bytes); at += 64) __builtin_prefetch(start + at);
  const int64_t chunk = rows == 1 ? end - begin : std::max<int64_t>(4, kChunkBytes / w.row_bytes / 4 * 4);
  for (int64_t first = begin; first < end; first += chunk) {
    const int64_t count = std::min(chunk, end - first);
    for (int64_t r = 0; r < rows; ++r) {
      float* y = layer.y + (first_row + r) * w.rows + first;
      Multiply(w, first, count, operand, operand.rows + r * operand.row_bytes, y);
      if (layer.bias == nullptr) continue;
      for (int64_t j = 0; j < count; ++j) y[j] += layer.bias[first + j];
    }
  }
}

}  // namespace

void MatmulSingle(ThreadPool& pool, std::span<const Linear> layers, const float* x, int64_t first_row, int64_t rows) {
  for (; static_cast<int64_t>(layers.size()) > kMostLayers; layers = layers.subspan(kMostLayers)) {
    MatmulSingle(pool, layers.first(kMostLayers), x, first_row, rows);
  }
  thread_local std::vector<VectorPart> buffer;
  Operand operands[kMostLayers];
  MakeOperands(layers, x + first_row * layers[0].w->cols, rows, buffer, operands);
  int64_t outputs = 0;
  for (const Linear& layer : layers) outputs += layer.w->rows;
  // Several tasks a thread level out what another process takes; each is long enough to hide the hand-over.
  const int64_t tile = std::max<int64_t>(64, (outputs / (pool.threads() * kTasks) + 3) / 4 * 4);
  pool.Run(LayerTasks(layers, tile), [&](int64_t task, int) {
    const LayerTask found = FindLayerTask(layers, tile, task);
    const int64_t begin = found.index * tile;
    MultiplyTile(*found.layer, begin, std::min(found.layer->w->rows, begin + tile),
                 operands[found.layer - layers.data()], first_row, rows);
  });
}

}  // namespace ltri
