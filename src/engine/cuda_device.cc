#include <fmt/format.h>

#include <new>

#include "cuda/device_context.h"
#include "cuda/device_decoder.h"
#include "cuda/device_weights.h"
#include "cuda/head_layout.h"
#include "engine/device_engine.h"
#include "ops/cuda/attend.h"

namespace ltri {
namespace {

class CudaEngine : public DeviceEngine {
 public:
  CudaEngine(const LoadedModel& model, int64_t memory)
      : context_(model.config, memory), weights_(context_.stream, model), decoder_(&context_, &weights_) {}

  Status Step(ThreadPool& pool, std::span<Slice> slices) override {
    try {
      return decoder_.Step(pool, slices);
    } catch (const std::bad_alloc&) {
      return Error{
          ErrorCode::kOutOfMemory,
          "the CUDA device, or RAM for what it does not hold, is full; give a smaller --device-memory, so that "
          "more of the text lies in RAM, or a smaller --block"};
    }
  }

  Result<std::unique_ptr<Method>> MakeMethod(const SessionOptions& options) override {
    try {
      return cuda::MakeDeviceMethod(&context_, options);
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::kOutOfMemory, "the CUDA device has no memory left for another session"};
    }
  }

 private:
  cuda::DeviceContext context_;
  cuda::DeviceWeights weights_;
  cuda::DeviceDecoder decoder_;
};

}  // namespace

Result<std::unique_ptr<DeviceEngine>> MakeCudaEngine(const LoadedModel& model, int64_t memory) {
  if (Status status = cuda::CheckModel(model); !status.ok()) return status.error();
  const Result<cuda::DeviceInfo> card = cuda::OpenDevice();
  if (!card.ok()) return card.error();
  if (cuda::CardHeadDim(model.config.head_dim) > cuda::kMostGroupDim && card->shared_memory < cuda::kWideHeadMemory) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("heads of {} dimensions need {} bytes of shared memory, but {} has {}; take --device cpu",
                             model.config.head_dim, cuda::kWideHeadMemory, card->name, card->shared_memory)};
  }
  try {
    return std::unique_ptr<DeviceEngine>(std::make_unique<CudaEngine>(model, memory));
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, fmt::format("the model does not fit the {:.1f} GB of {}",
                                                      static_cast<double>(card->memory) / 1e9, card->name)};
  }
}

}  // namespace ltri
