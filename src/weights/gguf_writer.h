// GgufWriter: the bytes of a GGUF file that has values and no tensors. What reads GGUF metadata then also reads models
// of other formats.
#ifndef LTRI_WEIGHTS_GGUF_WRITER_H_
#define LTRI_WEIGHTS_GGUF_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/gguf_file.h"

namespace ltri {

class GgufWriter {
 public:
  // Each key once. Texts may hold any bytes.
  void SetInteger(std::string_view key, int64_t value);
  void SetTokenId(std::string_view key, uint32_t value);
  void SetNumber(std::string_view key, double value);
  void SetFlag(std::string_view key, bool value);
  void SetText(std::string_view key, std::string_view value);
  void SetTexts(std::string_view key, std::span<const std::string> values);
  void SetNumbers(std::string_view key, std::span<const float> values);
  void SetIntegers(std::string_view key, std::span<const int32_t> values);
  void SetFlags(std::string_view key, const std::vector<bool>& values);

  std::vector<std::byte> Finish() const;

 private:
  void AddKey(std::string_view key, GgufType type);
  void AddArray(std::string_view key, GgufType element, size_t count);
  void AddText(std::string_view text);

  std::vector<std::byte> values_;
  uint64_t count_ = 0;
};

}  // namespace ltri

#endif  // LTRI_WEIGHTS_GGUF_WRITER_H_
