// GgufParser: walks the bytes of a GGUF file once, front to back, and fills a GgufFile.
//
// Layout: magic, version, tensor count, value count, values, tensor table, padding, tensor data.
#ifndef LTRI_WEIGHTS_GGUF_PARSER_H_
#define LTRI_WEIGHTS_GGUF_PARSER_H_

#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "ltri/result.h"
#include "weights/gguf_file.h"

namespace ltri {

// Bytes of one number of this type; 0 for strings, arrays and what the format does not know.
size_t GgufTypeBytes(GgufType type);

class GgufParser {
 public:
  explicit GgufParser(GgufFile& file) : file_(file), bytes_(file.bytes_) {}

  Status Parse();

 private:
  Status ParseHeader();
  Status ParseValue(uint64_t index);
  Status ParseArray(std::string_view key, GgufValue& value);
  Status ParseTensor(uint64_t index);
  Status ParseShape(GgufTensor& tensor);
  Status ParseAlignment();
  Status PlaceTensors();

  // Reads a number and steps over it.
  template <typename T>
  Result<T> Read(const std::string& what) {
    if (bytes_.size() - at_ < sizeof(T)) return EndsEarly(what);
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  Result<std::string_view> ReadString(const std::string& what);
  Status Skip(uint64_t bytes, const std::string& what);

  Error EndsEarly(const std::string& what) const;
  Error Corrupt(const std::string& message) const;
  Error Unsupported(const std::string& message) const;

  GgufFile& file_;
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  uint64_t tensor_count_ = 0;
  uint64_t value_count_ = 0;
  uint64_t alignment_ = 32;
  std::vector<uint64_t> offsets_;  // of the tensors, from the start of the tensor data
};

}  // namespace ltri

#endif  // LTRI_WEIGHTS_GGUF_PARSER_H_
