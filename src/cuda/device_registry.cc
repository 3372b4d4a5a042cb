#include <fmt/format.h>

#include "attention/registry.h"
#include "cuda/device_method.h"

namespace ltri::cuda {

Result<std::unique_ptr<Method>> MakeDeviceMethod(DeviceContext* context, const SessionOptions& options) {
  // Options are checked where they are for the host.
  RopeTables unused(context->config);
  const Result<std::unique_ptr<Method>> checked = MakeMethod({&context->config, &unused, nullptr}, options);
  if (!checked.ok()) return checked.error();
  if (options.memory > 0) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("memory is {} bytes, but a CUDA device does not keep blocks in a file; limit it with "
                             "--device-memory, or take --device cpu",
                             options.memory)};
  }
  if (options.method == "dense") return MakeDeviceDense(context, options);
  if (options.method == "streaming") return MakeDeviceStreaming(context, options);
  if (options.method == "ltri") return MakeDeviceRecall(context, options);
  return Error{ErrorCode::kUnsupported,
               fmt::format("method '{}' does not run on a CUDA device; use dense, streaming or ltri, or --device cpu",
                           options.method)};
}

}  // namespace ltri::cuda
