// Prompt rows: panels of weights are unpacked and multiplied with all rows, as bytes where the CPU has kernels for the
// type, else as floats.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include "ops/cpu/byte_panels.h"
#include "ops/cpu/matmul_rows.h"
#include "ops/cpu/panels.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

// Columns unpacked at a time (whole blocks of every type), and about how much of W a task keeps in the second cache.
constexpr int64_t kMostCols = 768;
constexpr int64_t kGroupFloats = 64 * 1024;

struct Free {
  void operator()(float* memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};

// Kept by each thread from call to call: new memory would be cleared page by page.
struct Scratch {
  std::unique_ptr<float[], Free> panels;
  int64_t size = 0;
  std::vector<float> rows;

  float* Panels(int64_t floats) {
    if (floats > size) {
      panels.reset(
          static_cast<float*>(::operator new[](static_cast<size_t>(floats) * sizeof(float), std::align_val_t{64})));
      size = floats;
    }
    return panels.get();
  }
};

// panel = outputs [first, first + width) of W, columns [col, col + cols); outputs that W does not have are zero.
void MakePanel(const Matrix& w, int64_t first, int64_t col, int64_t cols, std::vector<float>& rows, float* panel) {
  rows.resize(std::max(rows.size(), static_cast<size_t>(4 * cols)));
  const int64_t skipped = TypeRowBytes(w.type, col);
  for (int64_t r = 0; r < PanelWidth(); r += 4) {
    for (int64_t i = 0; i < 4; ++i) {
      float* to = rows.data() + i * cols;
      const int64_t row = first + r + i;
      if (row < w.rows) {
        UnpackValues(w.type, w.data + row * w.row_bytes + skipped, cols, to);
      } else {
        std::fill_n(to, cols, 0.0F);
      }
    }
    PackFourRows(rows.data(), cols, panel + r);
  }
}

// Outputs [begin, end) of a layer for all rows of x.
void MultiplyGroup(const Linear& layer, int64_t begin, int64_t end, const float* x, int64_t rows) {
  thread_local Scratch scratch;
  const Matrix& w = *layer.w;
  const int64_t width = PanelWidth();
  float* panels = scratch.Panels((end - begin + width - 1) / width * width * std::min(w.cols, kMostCols));
  for (int64_t col = 0; col < w.cols; col += kMostCols) {
    const int64_t cols = std::min(kMostCols, w.cols - col);
    for (int64_t j = begin; j < end; j += width) {
      MakePanel(w, j, col, cols, scratch.rows, panels + (j - begin) * cols);
    }
    const int64_t strip = PanelRows();
    for (int64_t r = 0; r < rows; r += strip) {
      for (int64_t j = begin; j < end; j += width) {
        MultiplyPanel(x + r * w.cols + col, w.cols, std::min(strip, rows - r), cols, panels + (j - begin) * cols,
                      col > 0, layer.y + r * w.rows + j, w.rows, std::min(width, end - j));
      }
    }
  }
  if (layer.bias == nullptr) return;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = begin; j < end; ++j) layer.y[r * w.rows + j] += layer.bias[j];
  }
}

constexpr int64_t kRoundedRows = 16;  // of x a task rounds

// x as bytes, or null when no layer wants it so. The memory is kept from call to call.
const RoundedBlock* RoundRows(ThreadPool& pool, std::span<const Linear> layers, const float* x, int64_t rows) {
  thread_local std::vector<RoundedBlock> rounded;
  const bool wanted =
      std::any_of(layers.begin(), layers.end(), [](const Linear& l) { return HasBytePanels(l.w->type); });
  if (!wanted) return nullptr;
  const int64_t cols = layers[0].w->cols;
  const int64_t blocks = cols / 32;
  if (static_cast<int64_t>(rounded.size()) < rows * blocks) rounded.resize(static_cast<size_t>(rows * blocks));
  RoundedBlock* to = rounded.data();  // of this thread, for all
  pool.Run((rows + kRoundedRows - 1) / kRoundedRows, [&](int64_t task, int) {
    const int64_t end = std::min(rows, (task + 1) * kRoundedRows);
    for (int64_t r = task * kRoundedRows; r < end; ++r) RoundRow(x + r * cols, cols, to + r * blocks);
  });
  return to;
}

// Outputs [begin, end) of a layer for all rows of x as bytes.
void MultiplyBytes(const Linear& layer, int64_t begin, int64_t end, const RoundedBlock* x, int64_t rows) {
  thread_local std::vector<PanelBlock> panel;
  const Matrix& w = *layer.w;
  panel.resize(std::max(panel.size(), static_cast<size_t>(w.cols / 32)));
  for (int64_t j = begin; j < end; j += kBytePanelWidth) {
    MakeBytePanel(w, j, panel.data());
    MultiplyBytePanel(w.type, x, rows, w.cols, panel.data(), layer.bias != nullptr ? layer.bias + j : nullptr,
                      layer.y + j, w.rows, std::min(kBytePanelWidth, end - j));
  }
}

// Outputs of a task: as many as the cache holds, but fewer where the threads would end at different times.
int64_t GroupOutputs(std::span<const Linear> layers, int threads) {
  const int64_t width = std::max(PanelWidth(), kBytePanelWidth);  // powers of two: whole panels of either kind
  const int64_t cols = std::min(layers[0].w->cols, kMostCols);
  int64_t panels = std::max<int64_t>(1, kGroupFloats / (cols * width));
  for (; panels > 1; --panels) {
    const int64_t tasks = LayerTasks(layers, panels * width);
    if (tasks >= 12 * threads || tasks % threads == 0) break;
  }
  return panels * width;
}

}  // namespace

void MatmulBlock(ThreadPool& pool, std::span<const Linear> layers, const float* x, int64_t rows) {
  const int64_t group = GroupOutputs(layers, pool.threads());
  const RoundedBlock* rounded = RoundRows(pool, layers, x, rows);
  pool.Run(LayerTasks(layers, group), [&](int64_t task, int) {
    const LayerTask found = FindLayerTask(layers, group, task);
    const int64_t begin = found.index * group;
    const int64_t end = std::min(found.layer->w->rows, begin + group);
    if (HasBytePanels(found.layer->w->type)) {
      MultiplyBytes(*found.layer, begin, end, rounded, rows);
    } else {
      MultiplyGroup(*found.layer, begin, end, x, rows);
    }
  });
}

}  // namespace ltri
