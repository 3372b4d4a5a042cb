#include "library/fingerprint.h"

#include <fmt/format.h>

#include <span>
#include <string>

#include "base/checksum.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

constexpr size_t kSampleBytes = 16384;

// First, middle and last sample, or the whole of a small tensor.
void AddSamples(std::span<const std::byte> data, RunningChecksum& checksum) {
  if (data.size() <= 3 * kSampleBytes) {
    checksum.Add(data);
    return;
  }
  checksum.Add(data.first(kSampleBytes));
  checksum.Add(data.subspan(data.size() / 2, kSampleBytes));
  checksum.Add(data.last(kSampleBytes));
}

// What a GGUF file has in its tensor table.
void AddEntry(const GgufTensor& tensor, RunningChecksum& checksum) {
  const std::string entry = fmt::format("{} {} {};", tensor.name, tensor.type, tensor.ShapeText());
  checksum.Add(std::as_bytes(std::span(entry)));
}

}  // namespace

Result<uint64_t> ModelFingerprint(const std::string& path) {
  const Result<GgufFile> file = OpenModelFile(path);
  if (!file.ok()) return file.error();
  RunningChecksum checksum;
  checksum.Add(file->header());
  for (const GgufTensor& tensor : file->tensors()) {
    if (!file->is_gguf()) AddEntry(tensor, checksum);
    AddSamples({tensor.data, static_cast<size_t>(tensor.bytes)}, checksum);
  }
  const auto size = static_cast<uint64_t>(file->bytes());
  checksum.Add(std::as_bytes(std::span(&size, 1)));
  return checksum.value();
}

}  // namespace ltri
