// Random weights of a ggml type, as a file has them, and their values.
#ifndef LTRI_TESTS_CUDA_PACKED_WEIGHTS_H_
#define LTRI_TESTS_CUDA_PACKED_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "ggml.h"
#include "support/ops_reference.h"
#include "weights/ggml_types.h"
#include "weights/model_weights.h"

namespace ltri::cuda {

struct WeightsOfType {
  std::vector<std::byte> bytes;
  std::vector<float> values;  // what the bytes mean
  Matrix matrix;

  WeightsOfType(int type, int64_t rows, int64_t cols, uint64_t seed) {
    testing::Operands operands(seed);
    const std::vector<float> drawn = operands.Floats(rows * cols);
    const int64_t row_bytes = TypeRowBytes(type, cols);
    bytes.resize(static_cast<size_t>(rows * row_bytes));
    ggml_quantize_chunk(static_cast<ggml_type>(type), drawn.data(), bytes.data(), 0, rows, cols, nullptr);
    values.resize(drawn.size());
    DequantizeRow(type, bytes.data(), values.data(), rows * cols);
    matrix = {bytes.data(), rows, cols, type, row_bytes};
  }
  WeightsOfType(const WeightsOfType&) = delete;
  WeightsOfType& operator=(const WeightsOfType&) = delete;
};

}  // namespace ltri::cuda

#endif  // LTRI_TESTS_CUDA_PACKED_WEIGHTS_H_
