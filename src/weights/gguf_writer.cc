#include "weights/gguf_writer.h"

namespace ltri {
namespace {

constexpr uint32_t kVersion = 3;
constexpr size_t kAlignment = 32;

void Append(std::vector<std::byte>& bytes, const void* data, size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), first, first + size);
}

template <typename T>
void AppendNumber(std::vector<std::byte>& bytes, T value) {
  Append(bytes, &value, sizeof(value));
}

}  // namespace

void GgufWriter::AddText(std::string_view text) {
  AppendNumber<uint64_t>(values_, text.size());
  Append(values_, text.data(), text.size());
}

void GgufWriter::AddKey(std::string_view key, GgufType type) {
  AddText(key);
  AppendNumber(values_, static_cast<uint32_t>(type));
  count_ += 1;
}

void GgufWriter::AddArray(std::string_view key, GgufType element, size_t count) {
  AddKey(key, GgufType::kArray);
  AppendNumber(values_, static_cast<uint32_t>(element));
  AppendNumber<uint64_t>(values_, count);
}

void GgufWriter::SetInteger(std::string_view key, int64_t value) {
  AddKey(key, GgufType::kI64);
  AppendNumber(values_, value);
}

void GgufWriter::SetTokenId(std::string_view key, uint32_t value) {
  AddKey(key, GgufType::kU32);
  AppendNumber(values_, value);
}

void GgufWriter::SetNumber(std::string_view key, double value) {
  AddKey(key, GgufType::kF64);
  AppendNumber(values_, value);
}

void GgufWriter::SetFlag(std::string_view key, bool value) {
  AddKey(key, GgufType::kBool);
  AppendNumber<uint8_t>(values_, value ? 1 : 0);
}

void GgufWriter::SetText(std::string_view key, std::string_view value) {
  AddKey(key, GgufType::kString);
  AddText(value);
}

void GgufWriter::SetTexts(std::string_view key, std::span<const std::string> values) {
  AddArray(key, GgufType::kString, values.size());
  for (const std::string& value : values) AddText(value);
}

void GgufWriter::SetNumbers(std::string_view key, std::span<const float> values) {
  AddArray(key, GgufType::kF32, values.size());
  Append(values_, values.data(), values.size_bytes());
}

void GgufWriter::SetIntegers(std::string_view key, std::span<const int32_t> values) {
  AddArray(key, GgufType::kI32, values.size());
  Append(values_, values.data(), values.size_bytes());
}

void GgufWriter::SetFlags(std::string_view key, const std::vector<bool>& values) {
  AddArray(key, GgufType::kBool, values.size());
  for (const bool value : values) AppendNumber<uint8_t>(values_, value ? 1 : 0);
}

std::vector<std::byte> GgufWriter::Finish() const {
  std::vector<std::byte> bytes;
  Append(bytes, "GGUF", 4);
  AppendNumber(bytes, kVersion);
  AppendNumber<uint64_t>(bytes, 0);  // tensors
  AppendNumber(bytes, count_);
  bytes.insert(bytes.end(), values_.begin(), values_.end());
  bytes.resize((bytes.size() + kAlignment - 1) / kAlignment * kAlignment);
  return bytes;
}

}  // namespace ltri
