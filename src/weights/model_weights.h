// ModelWeights: the tensors of one decoder, as views into the mapped file.
#ifndef LTRI_WEIGHTS_MODEL_WEIGHTS_H_
#define LTRI_WEIGHTS_MODEL_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "weights/model_config.h"

namespace ltri {

// A matrix [rows, cols], row-major, each row a whole number of blocks of ggml's type `type`.
// A linear layer computes y = x W^T: cols are inputs, rows are outputs. Views do not own.
struct Matrix {
  const std::byte* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int type = 0;  // ggml_type
  int64_t row_bytes = 0;

  bool empty() const { return data == nullptr; }
  // The rows [begin, begin + count), as a view.
  Matrix Rows(int64_t begin, int64_t count) const { return {data + begin * row_bytes, count, cols, type, row_bytes}; }
};

// Norm weights and biases are small and are held as floats; empty when the model has none.
using Vector = std::vector<float>;

struct LayerWeights {
  Vector attention_norm;  // [width]
  Matrix q, k, v;         // [heads | kv_heads | kv_heads * head_dim, width]; fused tensors are split into views
  Vector q_bias, k_bias, v_bias;
  Vector q_norm, k_norm;  // [head_dim], per head, before RoPE
  Matrix o;               // [width, heads * head_dim]
  Vector o_bias;
  Vector post_attention_norm;  // [width]; gemma3, glm4
  Vector ffn_norm;             // [width]
  Matrix gate, up;             // [feed_forward, width]; fused tensors are split into views
  Matrix down;                 // [width, feed_forward]
  Vector post_ffn_norm;        // [width]; gemma3, glm4
};

struct ModelWeights {
  Matrix embedding;  // [vocabulary, width]
  std::vector<LayerWeights> layers;
  Vector output_norm;                   // [width]
  Matrix output;                        // [vocabulary, width]; the embedding again when tied
  Vector output_bias;                   // usually empty
  std::shared_ptr<const void> storage;  // keeps the mapped file alive
};

}  // namespace ltri

#endif  // LTRI_WEIGHTS_MODEL_WEIGHTS_H_
