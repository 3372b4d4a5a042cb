// The two ways of ops/matmul.h.
#ifndef LTRI_OPS_CPU_MATMUL_ROWS_H_
#define LTRI_OPS_CPU_MATMUL_ROWS_H_

#include <cstdint>
#include <span>

#include "ops/matmul.h"

namespace ltri {

// The layer that a task of several layers belongs to, and which of that layer's tasks it is.
struct LayerTask {
  const Linear* layer;
  int64_t index;
};

// Tasks of `tile` outputs each, layer by layer.
inline int64_t LayerTasks(std::span<const Linear> layers, int64_t tile) {
  int64_t tasks = 0;
  for (const Linear& layer : layers) tasks += (layer.w->rows + tile - 1) / tile;
  return tasks;
}

inline LayerTask FindLayerTask(std::span<const Linear> layers, int64_t tile, int64_t task) {
  const Linear* layer = layers.data();
  for (int64_t own = (layer->w->rows + tile - 1) / tile; task >= own; own = (layer->w->rows + tile - 1) / tile) {
    task -= own;
    ++layer;
  }
  return {layer, task};
}

// y = x W^T + bias. x: [rows, cols]; layer.y: [rows, outputs], from row `first_row` on.
void MatmulBlock(ThreadPool& pool, std::span<const Linear> layers, const float* x, int64_t rows);
void MatmulSingle(ThreadPool& pool, std::span<const Linear> layers, const float* x, int64_t first_row, int64_t rows);

}  // namespace ltri

#endif  // LTRI_OPS_CPU_MATMUL_ROWS_H_
