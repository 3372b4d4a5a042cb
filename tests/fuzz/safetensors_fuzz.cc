// Any bytes as a safetensors file: an error or tensors that can be read, never a crash, and memory in proportion to it.
#include <cstddef>
#include <cstdint>

#include "weights/hf/safetensors_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = ltri::SafetensorsFile::Parse({reinterpret_cast<const std::byte*>(data), size}, "fuzz", nullptr);
  if (!file.ok()) return 0;
  volatile uint8_t last = 0;
  for (const auto& [name, tensor] : file->tensors()) last = static_cast<uint8_t>(tensor.data[tensor.bytes - 1]);
  (void)last;
  return 0;
}
