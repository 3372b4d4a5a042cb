// DeviceEngine: a model's weights and steps on a device other than the host.
#ifndef LTRI_ENGINE_DEVICE_ENGINE_H_
#define LTRI_ENGINE_DEVICE_ENGINE_H_

#include <cstdint>
#include <memory>
#include <span>

#include "attention/method.h"
#include "base/thread_pool.h"
#include "ltri/options.h"
#include "ltri/result.h"
#include "model/decoder.h"
#include "weights/gguf_model.h"

namespace ltri {

class DeviceEngine {
 public:
  virtual ~DeviceEngine() = default;

  // As Decoder::Step, for slices whose memories MakeMethod made. What is only queued fails in a later step. May throw
  // std::bad_alloc.
  virtual Status Step(ThreadPool& pool, std::span<Slice> slices) = 0;

  virtual Result<std::unique_ptr<Method>> MakeMethod(const SessionOptions& options) = 0;
};

// The first CUDA card with the model's weights on it. `model` outlives it. memory: of ModelOptions. Error kUnsupported:
// the build has no CUDA, there is no card, or the model has something that the card does not do; kOutOfMemory.
Result<std::unique_ptr<DeviceEngine>> MakeCudaEngine(const LoadedModel& model, int64_t memory);

}  // namespace ltri

#endif  // LTRI_ENGINE_DEVICE_ENGINE_H_
