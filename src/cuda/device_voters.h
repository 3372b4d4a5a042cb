// DeviceVoters: which heads of each layer vote, as lists on the card.
#ifndef LTRI_CUDA_DEVICE_VOTERS_H_
#define LTRI_CUDA_DEVICE_VOTERS_H_

#include <cstdint>
#include <vector>

#include "ltri/options.h"
#include "ops/cuda/device.h"
#include "ops/cuda/index.h"
#include "weights/model_config.h"

namespace ltri::cuda {

// Does not change; copies of a method share one.
class DeviceVoters {
 public:
  // The heads that the options let vote (attention/voting.h), and how much. None of sliding-window layers.
  DeviceVoters(Stream stream, const ModelConfig& config, const SessionOptions& options);

  const VotingHeads& layer(int64_t layer) const { return layers_[static_cast<size_t>(layer)]; }
  // [kv_heads] of the layer: 1 where keys are indexed.
  const std::vector<uint8_t>& kept(int64_t layer) const { return kept_[static_cast<size_t>(layer)]; }
  // KV heads whose keys are indexed, of all layers together.
  int64_t indexed() const { return indexed_; }
  // Heads of the layer that has most.
  int64_t most() const { return most_; }

 private:
  std::vector<VotingHeads> layers_;
  std::vector<std::vector<uint8_t>> kept_;
  int64_t indexed_ = 0;
  int64_t most_ = 0;
  Buffer lists_;
  Buffer weights_;
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DEVICE_VOTERS_H_
