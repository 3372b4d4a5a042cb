// DeviceContext: what all sequences of one model share on the card.
#ifndef LTRI_CUDA_DEVICE_CONTEXT_H_
#define LTRI_CUDA_DEVICE_CONTEXT_H_

#include <cstdint>
#include <memory>

#include "cuda/block_pool.h"
#include "cuda/device_rope.h"
#include "cuda/head_layout.h"
#include "memory/tier.h"
#include "ops/cuda/attend.h"
#include "ops/cuda/device.h"
#include "ops/cuda/types.h"
#include "weights/model_config.h"

namespace ltri::cuda {

// Not thread safe: belongs to whoever runs steps.
struct DeviceContext {
  // memory: of BlockPool.
  explicit DeviceContext(const ModelConfig& model, int64_t memory = 0)
      : config(model),
        stream(NewStream()),
        shape{static_cast<int32_t>(model.heads), static_cast<int32_t>(model.kv_heads),
              static_cast<int32_t>(CardHeadDim(model.head_dim)), static_cast<int32_t>(model.layers),
              model.attention_scale},
        host_heads(model.head_dim, model.rope.dims),
        rope(stream, model.rope, shape.head_dim),
        local_rope(stream, model.local_rope, shape.head_dim),
        pool(shape.BlockHalves() * 2, memory),
        saved(Tier::Create(kSavedBytes)),
        single_scratch(SingleScratchBytes(shape, 1)) {
    Clear(stream, single_scratch.as<void>(), single_scratch.bytes());
  }
  ~DeviceContext() { DeleteStream(stream); }
  DeviceContext(const DeviceContext&) = delete;
  DeviceContext& operator=(const DeviceContext&) = delete;

  const ModelConfig& config;
  Stream stream;
  HeadShape shape;
  HostHeads host_heads;   // as files and the host have them
  DeviceRope rope;        // of layers with full attention
  DeviceRope local_rope;  // of sliding-window layers
  BlockPool pool;
  // What files have of indexes, and the host of what is on its way there.
  std::shared_ptr<Tier> saved;
  static constexpr int64_t kSavedBytes = int64_t{64} << 20;
  // Scratch of a block's attention, grown as needed; of a decoded token's.
  Buffer query_tiles, key_tiles, value_tiles, lse;
  Buffer single_scratch;
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DEVICE_CONTEXT_H_
