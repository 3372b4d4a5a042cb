#include "weights/gguf_parser.h"

#include <fmt/format.h>

#include <limits>

#include "weights/ggml_types.h"

namespace ltri {
namespace {

constexpr uint64_t kMaxTensorName = 255;          // bytes
constexpr int64_t kMaxValues = int64_t{1} << 48;  // in one tensor: its bytes then fit 64 bits for every type

}  // namespace

size_t GgufTypeBytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      return 0;
  }
  return 0;
}

Error GgufParser::Corrupt(const std::string& message) const {
  return {ErrorCode::kCorrupt, fmt::format("{}: {}", file_.path_, message)};
}

Error GgufParser::Unsupported(const std::string& message) const {
  return {ErrorCode::kUnsupported, fmt::format("{}: {}", file_.path_, message)};
}

Error GgufParser::EndsEarly(const std::string& what) const {
  return Corrupt(fmt::format("ends inside {} ({} bytes in all); the download may be incomplete", what, bytes_.size()));
}

Result<std::string_view> GgufParser::ReadString(const std::string& what) {
  const auto length = Read<uint64_t>(what);
  if (!length) return length.error();
  if (*length > bytes_.size() - at_) {
    return Corrupt(fmt::format("{} is a text of {} bytes, but only {} are left", what, *length, bytes_.size() - at_));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data() + at_), *length);
  at_ += *length;
  return text;
}

Status GgufParser::Skip(uint64_t bytes, const std::string& what) {
  if (bytes > bytes_.size() - at_) return EndsEarly(what);
  at_ += bytes;
  return {};
}

Status GgufParser::Parse() {
  if (Status status = ParseHeader(); !status) return status;
  for (uint64_t i = 0; i < value_count_; ++i) {
    if (Status status = ParseValue(i); !status) return status;
  }
  if (Status status = ParseAlignment(); !status) return status;
  for (uint64_t i = 0; i < tensor_count_; ++i) {
    if (Status status = ParseTensor(i); !status) return status;
  }
  return PlaceTensors();
}

Status GgufParser::ParseHeader() {
  if (bytes_.size() < 4 || std::memcmp(bytes_.data(), "GGUF", 4) != 0) {
    const std::string_view start(reinterpret_cast<const char*>(bytes_.data()), std::min<size_t>(4, bytes_.size()));
    return Corrupt(fmt::format("is not a GGUF file: it starts with {}, expected \"GGUF\"", Quoted(start)));
  }
  at_ = 4;
  const auto version = Read<uint32_t>("the version");
  if (!version) return version.error();
  if ((*version & 0xFFFFU) == 0 && *version != 0) {
    return Unsupported("is stored big-endian; convert it to little-endian");
  }
  if (*version != 2 && *version != 3) {
    return Unsupported(fmt::format("GGUF version is {}, expected 2 or 3", *version));
  }
  const auto tensors = Read<uint64_t>("the tensor count");
  if (!tensors) return tensors.error();
  const auto values = Read<uint64_t>("the value count");
  if (!values) return values.error();
  tensor_count_ = *tensors;
  value_count_ = *values;
  // The smallest value takes 13 bytes, the smallest entry of the tensor table 32.
  const uint64_t left = bytes_.size() - at_;
  if (value_count_ > left / 13) {
    return Corrupt(fmt::format("value count is {}, more than its {} bytes can hold", value_count_, bytes_.size()));
  }
  if (tensor_count_ > left / 32) {
    return Corrupt(fmt::format("tensor count is {}, more than its {} bytes can hold", tensor_count_, bytes_.size()));
  }
  return {};
}

Status GgufParser::ParseValue(uint64_t index) {
  const auto key = ReadString(fmt::format("the name of value {} of {}", index, value_count_));
  if (!key) return key.error();
  if (key->empty()) return Corrupt(fmt::format("the name of value {} is empty", index));
  const std::string what = fmt::format("value {}", Quoted(*key));
  const auto type = Read<uint32_t>(what);
  if (!type) return type.error();

  GgufValue value;
  value.type = static_cast<GgufType>(*type);
  value.element = value.type;
  Status status;
  if (value.type == GgufType::kArray) {
    status = ParseArray(*key, value);
  } else if (value.type == GgufType::kString) {
    value.data = bytes_.data() + at_;
    if (const auto text = ReadString(what); !text) status = text.error();
  } else if (const size_t size = GgufTypeBytes(value.type); size > 0) {
    value.data = bytes_.data() + at_;
    status = Skip(size, what);
  } else {
    status = Corrupt(fmt::format("{} has type {}, expected 0 to 12", what, *type));
  }
  if (!status) return status;
  if (!file_.values_.emplace(*key, value).second) return Corrupt(fmt::format("{} appears twice", what));
  file_.keys_.push_back(*key);
  return {};
}

Status GgufParser::ParseArray(std::string_view key, GgufValue& value) {
  const std::string what = fmt::format("array {}", Quoted(key));
  const auto element = Read<uint32_t>(what);
  if (!element) return element.error();
  const auto count = Read<uint64_t>(what);
  if (!count) return count.error();
  value.element = static_cast<GgufType>(*element);
  value.count = *count;
  value.data = bytes_.data() + at_;

  const bool strings = value.element == GgufType::kString;
  const size_t smallest = strings ? sizeof(uint64_t) : GgufTypeBytes(value.element);
  if (smallest == 0) {
    return Corrupt(fmt::format("{} has elements of type {}, expected a number, truth value or text", what, *element));
  }
  if (value.count > (bytes_.size() - at_) / smallest) {
    return Corrupt(
        fmt::format("{} has {} elements, but only {} bytes are left", what, value.count, bytes_.size() - at_));
  }
  if (!strings) return Skip(value.count * smallest, what);
  for (uint64_t i = 0; i < value.count; ++i) {
    if (const auto text = ReadString(what); !text) return text.error();
  }
  return {};
}

Status GgufParser::ParseAlignment() {
  if (file_.FindValue("general.alignment") == nullptr) return {};
  const auto alignment = file_.Integer("general.alignment");
  if (!alignment) return alignment.error();
  // Below 8 the tensors could not be read in place.
  if (*alignment < 8 || *alignment > (1 << 20) || (*alignment & (*alignment - 1)) != 0) {
    return Corrupt(fmt::format("general.alignment is {}, expected a power of two from 8 to 1048576", *alignment));
  }
  alignment_ = static_cast<uint64_t>(*alignment);
  return {};
}

Status GgufParser::ParseTensor(uint64_t index) {
  GgufTensor tensor;
  const auto name = ReadString(fmt::format("the name of tensor {} of {}", index, tensor_count_));
  if (!name) return name.error();
  if (name->empty() || name->size() > kMaxTensorName) {
    return Corrupt(
        fmt::format("the name of tensor {} has {} bytes, expected 1 to {}", index, name->size(), kMaxTensorName));
  }
  tensor.name = *name;
  if (Status status = ParseShape(tensor); !status) return status;
  const std::string what = fmt::format("tensor {}", Quoted(tensor.name));
  const auto type = Read<uint32_t>(what);
  if (!type) return type.error();
  const auto offset = Read<uint64_t>(what);
  if (!offset) return offset.error();

  tensor.type = *type <= std::numeric_limits<int>::max() ? static_cast<int>(*type) : -1;
  if (!TypeIsReadable(tensor.type)) {
    return Unsupported(
        fmt::format("{} has type {} ({}), which cannot be read; convert the model again with a "
                    "current converter",
                    what, *type, TypeName(tensor.type)));
  }
  const int64_t block = TypeBlockValues(tensor.type);
  if (tensor.shape[0] % block != 0) {
    return Corrupt(fmt::format("{} of type {} has rows of {} values, expected a multiple of {}", what,
                               TypeName(tensor.type), tensor.shape[0], block));
  }
  const int64_t rows = tensor.shape[1] * tensor.shape[2] * tensor.shape[3];
  tensor.bytes = TypeRowBytes(tensor.type, tensor.shape[0]) * rows;
  if (!file_.tensor_by_name_.emplace(tensor.name, file_.tensors_.size()).second) {
    return Corrupt(fmt::format("{} appears twice", what));
  }
  file_.tensors_.push_back(tensor);
  offsets_.push_back(*offset);
  return {};
}

Status GgufParser::ParseShape(GgufTensor& tensor) {
  const std::string what = fmt::format("the shape of tensor {}", Quoted(tensor.name));
  const auto dims = Read<uint32_t>(what);
  if (!dims) return dims.error();
  if (*dims < 1 || *dims > tensor.shape.size()) {
    return Corrupt(fmt::format("{} has {} dimensions, expected 1 to {}", what, *dims, tensor.shape.size()));
  }
  tensor.dims = static_cast<int>(*dims);
  int64_t values = 1;
  for (int i = 0; i < tensor.dims; ++i) {
    const auto size = Read<int64_t>(what);
    if (!size) return size.error();
    if (*size < 1 || *size > kMaxValues / values) {
      return Corrupt(fmt::format("{} has {} as dimension {}, expected 1 to {}", what, *size, i, kMaxValues / values));
    }
    tensor.shape[static_cast<size_t>(i)] = *size;
    values *= *size;
  }
  return {};
}

Status GgufParser::PlaceTensors() {
  if (tensor_count_ == 0) return {};
  const uint64_t padding = (alignment_ - at_ % alignment_) % alignment_;
  if (padding > bytes_.size() - at_) return EndsEarly("the padding before the tensor data");
  const std::byte* data = bytes_.data() + at_ + padding;
  const uint64_t available = bytes_.size() - at_ - padding;
  for (size_t i = 0; i < file_.tensors_.size(); ++i) {
    GgufTensor& tensor = file_.tensors_[i];
    const std::string what = fmt::format("tensor {}", Quoted(tensor.name));
    if (offsets_[i] % alignment_ != 0) {
      return Corrupt(fmt::format("{} has offset {}, expected a multiple of {}", what, offsets_[i], alignment_));
    }
    if (offsets_[i] > available || static_cast<uint64_t>(tensor.bytes) > available - offsets_[i]) {
      return Corrupt(
          fmt::format("{} takes {} bytes from offset {}, but the file holds {} bytes of tensors; the "
                      "download may be incomplete",
                      what, tensor.bytes, offsets_[i], available));
    }
    tensor.data = data + offsets_[i];
  }
  return {};
}

}  // namespace ltri
