// In place of cuda_device.cc where the build has no CUDA.
#include "engine/device_engine.h"

namespace ltri {

Result<std::unique_ptr<DeviceEngine>> MakeCudaEngine(const LoadedModel& /*model*/, int64_t /*memory*/) {
  return Error{ErrorCode::kUnsupported,
               "device is 'cuda', but this build has no CUDA: configure with -DLTRI_CUDA=ON, or take --device cpu"};
}

}  // namespace ltri
