// In place of cuda_bench.cc where the build has no CUDA.
#include "bench/device_bench.h"

namespace ltri {

std::vector<std::string> DeviceShapeNames() { return {}; }

Status RunDeviceBench(const DeviceBenchSettings& /*settings*/,
                      const std::function<void(const DeviceBenchRow&)>& /*row*/) {
  return Error{ErrorCode::kUnsupported,
               "device is 'cuda', but this build has no CUDA: configure with -DLTRI_CUDA=ON, or take --device cpu"};
}

}  // namespace ltri
