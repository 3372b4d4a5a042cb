// RawGguf: a GGUF file written byte by byte, so that a test can write what no library would.
#ifndef LTRI_TESTS_SUPPORT_RAW_GGUF_H_
#define LTRI_TESTS_SUPPORT_RAW_GGUF_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "weights/gguf_file.h"

namespace ltri::testing {

class RawGguf {
 public:
  RawGguf& Bytes(const std::string& text) { return Append(text.data(), text.size()); }
  template <typename T>
  RawGguf& Number(T value) {
    return Append(&value, sizeof(T));
  }
  RawGguf& Text(const std::string& text) { return Number<uint64_t>(text.size()).Bytes(text); }
  RawGguf& Header(uint64_t tensors, uint64_t values, uint32_t version = 3) {
    return Bytes("GGUF").Number(version).Number(tensors).Number(values);
  }
  RawGguf& Key(const std::string& key, GgufType type) { return Text(key).Number(static_cast<uint32_t>(type)); }
  RawGguf& Tensor(const std::string& name, const std::vector<int64_t>& shape, uint32_t type, uint64_t offset) {
    Text(name).Number(static_cast<uint32_t>(shape.size()));
    for (const int64_t size : shape) Number(size);
    return Number(type).Number(offset);
  }
  // Padding to a multiple of `alignment`, then `size` zero bytes.
  RawGguf& Data(size_t size, size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment + size);
    return *this;
  }

  Result<GgufFile> Parse() const { return GgufFile::Parse(bytes_, "raw.gguf", nullptr); }

 private:
  RawGguf& Append(const void* data, size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    return *this;
  }

  std::vector<std::byte> bytes_;
};

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_RAW_GGUF_H_
