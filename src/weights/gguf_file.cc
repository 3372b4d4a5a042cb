#include "weights/gguf_file.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/mapped_file.h"
#include "weights/gguf_parser.h"

namespace ltri {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF files are read in place");

template <typename T>
T Load(const std::byte* data) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

std::string_view LoadString(const std::byte* data) {
  return {reinterpret_cast<const char*>(data + sizeof(uint64_t)), Load<uint64_t>(data)};
}

}  // namespace

const char* GgufTypeName(GgufType type) {
  static constexpr std::array<const char*, 13> kNames = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                         "bool", "string", "array", "u64", "i64", "f64"};
  const auto index = static_cast<size_t>(type);
  return index < kNames.size() ? kNames[index] : "unknown";
}

std::string Plain(std::string_view text) {
  constexpr size_t kLongest = 80;
  std::string plain;
  for (const char c : text.substr(0, kLongest)) {
    const bool printable = c >= ' ' && c <= '~' && c != '"' && c != '\\';
    plain += printable ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return text.size() > kLongest ? plain + "..." : plain;
}

std::string Quoted(std::string_view text) { return fmt::format("\"{}\"", Plain(text)); }

std::string GgufTensor::ShapeText() const {
  std::string text = "[";
  for (int i = 0; i < dims; ++i) text += fmt::format("{}{}", i > 0 ? ", " : "", shape[static_cast<size_t>(i)]);
  return text + "]";
}

Result<GgufFile> GgufFile::Open(const std::string& path) {
  auto mapped = MappedFile::Open(path);
  if (!mapped) return mapped.error();
  auto storage = std::make_shared<const MappedFile>(std::move(*mapped));
  const std::span<const std::byte> bytes = storage->bytes();
  return Parse(bytes, path, std::move(storage));
}

Result<GgufFile> GgufFile::Parse(std::span<const std::byte> bytes, std::string path,
                                 std::shared_ptr<const void> storage) {
  GgufFile file;
  file.path_ = std::move(path);
  file.bytes_ = bytes;
  file.size_ = static_cast<int64_t>(bytes.size());
  file.storage_ = std::move(storage);
  if (Status status = GgufParser(file).Parse(); !status) return status.error();
  return file;
}

Result<GgufFile> GgufFile::Assemble(Parts parts, std::string path, std::shared_ptr<const void> storage) {
  Result<GgufFile> file = Parse(parts.header, std::move(path), std::move(storage));
  if (!file.ok()) return file;
  file->is_gguf_ = false;
  file->size_ = parts.bytes;
  file->names_ = std::move(parts.names);
  file->tensors_ = std::move(parts.tensors);
  for (const GgufTensor& tensor : file->tensors_) {
    if (file->tensor_by_name_.emplace(tensor.name, file->tensor_by_name_.size()).second) continue;
    const std::string name = file->Called(std::string(tensor.name));
    return Error{ErrorCode::kCorrupt, fmt::format("{}: tensor {} appears twice", file->path_, Quoted(name))};
  }
  return file;
}

std::span<const std::byte> GgufFile::header() const {
  size_t front = bytes_.size();
  if (is_gguf_) {
    for (const GgufTensor& tensor : tensors_) front = std::min(front, static_cast<size_t>(tensor.data - bytes_.data()));
  }
  return bytes_.first(front);
}

std::string GgufFile::Called(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? name : found->second;
}

const GgufTensor* GgufFile::FindTensor(std::string_view name) const {
  const auto found = tensor_by_name_.find(name);
  return found == tensor_by_name_.end() ? nullptr : &tensors_[found->second];
}

const GgufValue* GgufFile::FindValue(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

Result<GgufValue> GgufFile::Element(std::string_view key, uint64_t index) const {
  const GgufValue* value = FindValue(key);
  if (value == nullptr) return Error{ErrorCode::kNotFound, fmt::format("{}: value {} is missing", path_, key)};
  if (index >= value->count) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: {} has {} elements, element {} is needed", path_, key, value->count, index)};
  }
  GgufValue element = *value;
  element.type = value->element;
  element.count = 1;
  element.data += index * GgufTypeBytes(value->element);
  return element;
}

Result<int64_t> GgufFile::Integer(std::string_view key, uint64_t index) const {
  const auto value = Element(key, index);
  if (!value) return value.error();
  switch (value->type) {
    case GgufType::kU8:
      return Load<uint8_t>(value->data);
    case GgufType::kI8:
      return Load<int8_t>(value->data);
    case GgufType::kU16:
      return Load<uint16_t>(value->data);
    case GgufType::kI16:
      return Load<int16_t>(value->data);
    case GgufType::kU32:
      return Load<uint32_t>(value->data);
    case GgufType::kI32:
      return Load<int32_t>(value->data);
    case GgufType::kI64:
      return Load<int64_t>(value->data);
    case GgufType::kU64: {
      const auto wide = Load<uint64_t>(value->data);
      if (wide <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return static_cast<int64_t>(wide);
      return Error{ErrorCode::kCorrupt, fmt::format("{}: {} is {}, too large", path_, key, wide)};
    }
    default:
      return Error{ErrorCode::kCorrupt,
                   fmt::format("{}: {} has type {}, expected an integer", path_, key, GgufTypeName(value->type))};
  }
}

Result<double> GgufFile::Number(std::string_view key, uint64_t index) const {
  const auto value = Element(key, index);
  if (!value) return value.error();
  double number = 0;
  if (value->type == GgufType::kF32) {
    number = Load<float>(value->data);
  } else if (value->type == GgufType::kF64) {
    number = Load<double>(value->data);
  } else {
    const auto integer = Integer(key, index);
    if (integer) return static_cast<double>(*integer);
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: {} has type {}, expected a number", path_, key, GgufTypeName(value->type))};
  }
  if (!std::isfinite(number)) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: {} is {}, expected a finite number", path_, key, number)};
  }
  return number;
}

Result<bool> GgufFile::Bool(std::string_view key, uint64_t index) const {
  const auto value = Element(key, index);
  if (!value) return value.error();
  if (value->type != GgufType::kBool) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: {} has type {}, expected a truth value", path_, key, GgufTypeName(value->type))};
  }
  return Load<uint8_t>(value->data) != 0;
}

Result<std::string> GgufFile::Text(std::string_view key) const {
  const GgufValue* value = FindValue(key);
  if (value == nullptr) return Error{ErrorCode::kNotFound, fmt::format("{}: value {} is missing", path_, key)};
  if (value->type != GgufType::kString) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: {} has type {}, expected a text", path_, key, GgufTypeName(value->type))};
  }
  return std::string(LoadString(value->data));
}

Result<std::vector<std::string_view>> GgufFile::Strings(std::string_view key) const {
  const GgufValue* value = FindValue(key);
  if (value == nullptr) return Error{ErrorCode::kNotFound, fmt::format("{}: value {} is missing", path_, key)};
  if (value->type != GgufType::kArray || value->element != GgufType::kString) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: {} has type {}, expected a list of texts", path_, key, GgufTypeName(value->type))};
  }
  std::vector<std::string_view> strings;
  strings.reserve(value->count);
  const std::byte* at = value->data;
  for (uint64_t i = 0; i < value->count; ++i) {
    strings.push_back(LoadString(at));
    at += sizeof(uint64_t) + strings.back().size();
  }
  return strings;
}

}  // namespace ltri
