// DeviceDecoder: one transformer on the card. The twin of model/decoder.h.
#ifndef LTRI_CUDA_DEVICE_DECODER_H_
#define LTRI_CUDA_DEVICE_DECODER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "cuda/device_context.h"
#include "cuda/device_method.h"
#include "cuda/device_weights.h"
#include "model/decoder.h"
#include "ops/cuda/gemm.h"
#include "ops/cuda/heads.h"
#include "ops/cuda/matvec.h"

namespace ltri::cuda {

// Thread safety: one Step at a time.
class DeviceDecoder {
 public:
  // All outlive the decoder.
  DeviceDecoder(DeviceContext* context, const DeviceWeights* weights);

  // As Decoder::Step; every slice's memory is a DeviceMethod of the same context, else kUnsupported. Decoded tokens of
  // several sequences are one batch, prompt blocks follow each other; without logits they are queued only. May throw
  // std::bad_alloc.
  Status Step(ThreadPool& pool, std::span<Slice> slices);

  // For benches: decodes `tokens` tokens of each sequence, each the likeliest after the one before, without the host.
  Status DecodeGreedily(ThreadPool& pool, std::span<DeviceMethod* const> methods, TokenId first, int64_t tokens);

 private:
  Status Decode(ThreadPool& pool, std::span<Slice* const> slices);
  void DecodeTogether(std::span<DeviceMethod* const> methods);
  void AttendTogether(int64_t layer, std::span<DeviceMethod* const> methods);
  void UpdateViews(int64_t layer, std::span<DeviceMethod* const> methods);
  void ReserveRows(int64_t rows);
  void ReadBlock(const Slice& slice, DeviceMethod& method);
  Projections Project(const DeviceLayer& w, int64_t rows);
  void NormProjections(const DeviceLayer& w, const Projections& p);
  void BlockFeedForward(const DeviceLayer& w, int64_t rows);
  void AddToStream(const LinearGroup& linear, const void* x, const float* norm, int64_t rows);
  void BlockLogits(int64_t rows, int64_t wanted, float* logits);
  void DecodeToken(DeviceMethod& method);
  void RecordToken(DeviceMethod& method);
  void SingleLayer(const DeviceLayer& w, int64_t layer, DeviceMethod& method);
  void MultiplyGroup(const LinearGroup& linear, const float* x, const float* norm, MatVecResult result, float* y);
  void AddSingle(const LinearGroup& linear, const float* x, const float* norm);

  // What a recording depends on: the rotary tables, and the method's kind and turn.
  using RecordingKey = std::tuple<DeviceMethod::Ropes, const std::type_info*, int64_t>;

  const ModelConfig& config_;
  DeviceContext& context_;
  const DeviceWeights& weights_;
  Gemm gemm_;
  // Of a block: the residual stream, 16-bit inputs of products, their results.
  Buffer tokens_, x_, h_, projections_, attended_, gate_up_, activated_, projected_;
  // Of decoded tokens of several sequences, aside from those of a block.
  struct Batch {
    int64_t count = 0;  // sequences that scratch was cleared for
    Buffer scratch, sequences, attended, logits;
  };
  Batch batch_;
  // Of a decoded token.
  struct Single {
    Buffer token, x, projections, attended, activated, projected, logits, best, sequence;
  };
  Single one_;
  SequenceRef sequence_;  // what one_.sequence has
  std::map<RecordingKey, Graph> recordings_;
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DEVICE_DECODER_H_
