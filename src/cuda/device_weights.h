// DeviceWeights: a decoder's tensors on the card, in the forms that kernels read.
#ifndef LTRI_CUDA_DEVICE_WEIGHTS_H_
#define LTRI_CUDA_DEVICE_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "ops/cuda/device.h"
#include "ops/cuda/pack.h"
#include "ops/cuda/types.h"
#include "weights/gguf_model.h"

namespace ltri::cuda {

// Matrices that read the same x and whose results lie side by side; those packed alike are one matrix.
struct LinearGroup {
  std::vector<DeviceMatrix> parts;
  const float* bias = nullptr;  // [outputs] or null
  int64_t outputs = 0;
};

struct DeviceLayer {
  const float* attention_norm = nullptr;
  LinearGroup qkv;  // queries, keys, values, laid out as cuda/head_layout.h says
  const float* q_norm = nullptr;
  const float* k_norm = nullptr;
  LinearGroup o;
  const float* post_attention_norm = nullptr;
  const float* ffn_norm = nullptr;
  LinearGroup gate_up;  // one part
  LinearGroup down;
  const float* post_ffn_norm = nullptr;
};

class DeviceWeights {
 public:
  // Packs and copies a file's weights. May throw std::bad_alloc.
  DeviceWeights(Stream stream, const LoadedModel& model);
  // Weights drawn at random, for benches: `packing` for the layers' matrices. 4 and 8 bits: scales are drawn too.
  DeviceWeights(Stream stream, const ModelConfig& config, Packing packing);

  const DeviceMatrix& embedding() const { return embedding_; }
  const std::vector<DeviceLayer>& layers() const { return layers_; }
  const float* output_norm() const { return output_norm_; }
  const LinearGroup& output() const { return output_; }
  Float16 type() const { return type_; }
  // What a decoded token reads: matrices of all layers and the output matrix, without the embedding.
  int64_t bytes_per_token() const { return bytes_per_token_; }

 private:
  void* Keep(Stream stream, const void* data, int64_t bytes);
  const float* KeepVector(Stream stream, const Vector& vector);
  LinearGroup KeepGroup(Stream stream, const std::vector<const Matrix*>& matrices, const Vector& bias,
                        const std::vector<std::vector<int32_t>>& orders = {});
  LinearGroup KeepGroup(Stream stream, std::vector<PackedMatrix> matrices, const Vector& bias);
  DeviceMatrix Draw(Stream stream, Packing packing, int64_t rows, int64_t cols);
  LinearGroup DrawGroup(Stream stream, Packing packing, int64_t rows, int64_t cols);

  std::vector<Buffer> buffers_;
  DeviceMatrix embedding_;
  std::vector<DeviceLayer> layers_;
  const float* output_norm_ = nullptr;
  LinearGroup output_;
  Float16 type_ = Float16::kHalf;
  int64_t bytes_per_token_ = 0;
  uint64_t seed_ = 1;
};

// Error kUnsupported: the model has something that the card does not do.
Status CheckModel(const LoadedModel& model);

// Bytes of a matrix on the card.
int64_t MatrixBytes(const DeviceMatrix& matrix);

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DEVICE_WEIGHTS_H_
