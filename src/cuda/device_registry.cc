#include <fmt/format.h>

#include "attention/registry.h"
#include "cuda/device_method.h"
#include "memory/spill_file.h"

namespace ltri::cuda {
namespace {

Result<std::unique_ptr<Method>> Make(DeviceContext* context, const SessionOptions& options) {
  if (options.method == "dense") return MakeDeviceDense(context, options);
  if (options.method == "streaming") return MakeDeviceStreaming(context, options);
  if (options.method == "ltri") return MakeDeviceRecall(context, options);
  return Error{ErrorCode::kUnsupported,
               fmt::format("method '{}' does not run on a CUDA device; use dense, streaming or ltri, or --device cpu",
                           options.method)};
}

}  // namespace

Result<std::unique_ptr<Method>> MakeDeviceMethod(DeviceContext* context, const SessionOptions& options) {
  // Options are checked where they are for the host.
  RopeTables unused(context->config);
  const Result<std::unique_ptr<Method>> checked = MakeMethod({&context->config, &unused, nullptr}, options);
  if (!checked.ok()) return checked.error();
  Result<std::unique_ptr<Method>> made = Make(context, options);
  if (!made.ok() || options.memory <= 0) return made;
  Result<std::shared_ptr<SpillFile>> file = SpillFile::Create();
  if (!file.ok()) return file.error();
  static_cast<DeviceMethod&>(**made).LimitHost(options.memory, DiskBlocks::Create(std::move(*file), context->shape));
  return made;
}

}  // namespace ltri::cuda
