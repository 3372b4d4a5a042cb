#include "weights/hf/safetensors_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/mapped_file.h"
#include "weights/ggml_types.h"
#include "weights/hf/json_file.h"

namespace ltri {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxHeader = uint64_t{32} << 20U;
constexpr int64_t kMaxValues = int64_t{1} << 48;  // in one tensor: its bytes then fit 64 bits
constexpr size_t kMaxListed = 16;                 // elements kept of a list; shapes have at most 4

struct Dtype {
  std::string_view name;
  int type;
};
constexpr std::array<Dtype, 3> kDtypes = {{{"F32", kTypeF32}, {"F16", kTypeF16}, {"BF16", kTypeBf16}}};

std::optional<int64_t> WholeNumber(const json& value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX}) return std::nullopt;
  return value.get<int64_t>();
}

}  // namespace

class SafetensorsParser {
 public:
  explicit SafetensorsParser(SafetensorsFile& file) : file_(file) {}
  Status Parse();

 private:
  Result<json> ParseHeader(uint64_t length);
  Status ParseTensor(const std::string& name, const json& entry);
  Status ParseShape(const json& entry, GgufTensor& tensor);
  Status CheckPlaces() const;

  Error Corrupt(const std::string& message) const {
    return {ErrorCode::kCorrupt, fmt::format("{}: {}", file_.path_, message)};
  }
  Error Corrupt(const GgufTensor& tensor, const std::string& message) const {
    return Corrupt(fmt::format("tensor {} {}", Quoted(tensor.name), message));
  }

  SafetensorsFile& file_;
  std::span<const std::byte> data_;
};

Status SafetensorsParser::Parse() {
  uint64_t length = 0;
  if (file_.bytes_.size() < sizeof(length)) {
    return Corrupt(fmt::format("has {} bytes, fewer than a safetensors file", file_.bytes_.size()));
  }
  std::memcpy(&length, file_.bytes_.data(), sizeof(length));
  const uint64_t left = file_.bytes_.size() - sizeof(length);
  if (length > kMaxHeader) {
    return Corrupt(
        fmt::format("the header's length is {}, expected at most {}; is it a safetensors file?", length, kMaxHeader));
  }
  if (length > left) {
    return Corrupt(fmt::format("the header's length is {}, but only {} bytes are left; the download may be incomplete",
                               length, left));
  }
  data_ = file_.bytes_.subspan(sizeof(length) + length);
  const Result<json> header = ParseHeader(length);
  if (!header.ok()) return header.error();
  for (const auto& [name, entry] : header->items()) {
    if (name == "__metadata__") continue;
    if (Status status = ParseTensor(name, entry); !status.ok()) return status;
  }
  return CheckPlaces();
}

// Drops what is nested deeper, or listed longer, than any header's content: memory stays in proportion.
Result<json> SafetensorsParser::ParseHeader(uint64_t length) {
  std::unordered_set<std::string> names;
  std::string twice;
  size_t listed = 0;
  const auto keep = [&](int depth, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::key && depth == 1 && !names.insert(value.get<std::string>()).second) {
      twice = value.get<std::string>();
    }
    if (event == json::parse_event_t::array_start) listed = 0;
    return depth < 3 || (depth == 3 && ++listed <= kMaxListed);
  };
  try {
    const auto* text = reinterpret_cast<const char*>(file_.bytes_.data() + sizeof(length));
    json header = json::parse(text, text + length, keep);
    if (!twice.empty()) return Corrupt(fmt::format("tensor {} appears twice in the header", Quoted(twice)));
    if (header.is_object()) return header;
    return Corrupt("the header is no JSON object");
  } catch (const json::exception& e) {
    return Corrupt(fmt::format("the header is no JSON: {}", Plain(e.what())));
  }
}

Status SafetensorsParser::ParseTensor(const std::string& name, const json& entry) {
  const auto placed = file_.tensors_.emplace(name, GgufTensor());
  GgufTensor& tensor = placed.first->second;
  tensor.name = placed.first->first;
  const json& dtype = Member(entry, "dtype");
  const auto* known = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return dtype == d.name; });
  if (known == kDtypes.end()) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: tensor {} has dtype {}, expected F32, F16 or BF16",
                                                      file_.path_, Quoted(name), Written(dtype))};
  }
  tensor.type = known->type;
  if (Status status = ParseShape(entry, tensor); !status.ok()) return status;

  const json& places = Member(entry, "data_offsets");
  const bool is_pair = places.is_array() && places.size() == 2;
  const auto begin = is_pair ? WholeNumber(places[0]) : std::nullopt;
  const auto end = is_pair ? WholeNumber(places[1]) : std::nullopt;
  if (!begin || !end || *begin > *end) {
    return Corrupt(tensor, fmt::format("has data_offsets {}, expected [begin, end]", Written(places)));
  }
  if (*end > static_cast<int64_t>(data_.size())) {
    return Corrupt(tensor, fmt::format("has data_offsets {}, but the file holds {} bytes of data; the download may be "
                                       "incomplete",
                                       Written(places), data_.size()));
  }
  if (*end - *begin != tensor.bytes) {
    return Corrupt(tensor,
                   fmt::format("has {} bytes by its data_offsets {}, but {} by its shape {} of {}", *end - *begin,
                               Written(places), tensor.bytes, Written(Member(entry, "shape")), known->name));
  }
  tensor.data = data_.data() + *begin;
  return {};
}

Status SafetensorsParser::ParseShape(const json& entry, GgufTensor& tensor) {
  const json& shape = Member(entry, "shape");
  if (!shape.is_array() || shape.empty() || shape.size() > tensor.shape.size()) {
    return Corrupt(tensor,
                   fmt::format("has shape {}, expected 1 to {} dimensions", Written(shape), tensor.shape.size()));
  }
  tensor.dims = static_cast<int>(shape.size());
  int64_t values = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    const auto size = WholeNumber(shape[i]);
    if (!size || *size < 1 || *size > kMaxValues / values) {
      return Corrupt(tensor, fmt::format("has shape {}, expected 1 to {} as dimension {}", Written(shape),
                                         kMaxValues / values, i));
    }
    tensor.shape[shape.size() - 1 - i] = *size;
    values *= *size;
  }
  tensor.bytes = TypeRowBytes(tensor.type, values);
  return {};
}

// One after the other, from the first byte of the data to the last, as the format asks for.
Status SafetensorsParser::CheckPlaces() const {
  std::vector<const GgufTensor*> in_order;
  for (const auto& entry : file_.tensors_) in_order.push_back(&entry.second);
  std::sort(in_order.begin(), in_order.end(),
            [](const GgufTensor* a, const GgufTensor* b) { return a->data < b->data; });
  const std::byte* end = data_.data();
  for (const GgufTensor* tensor : in_order) {
    if (tensor->data != end) {
      return Corrupt(*tensor, fmt::format("begins at offset {} of the data, but what comes before ends at {}",
                                          tensor->data - data_.data(), end - data_.data()));
    }
    end += tensor->bytes;
  }
  const auto used = static_cast<size_t>(end - data_.data());
  if (used != data_.size()) {
    return Corrupt(fmt::format("holds {} bytes of data, but its tensors take {}", data_.size(), used));
  }
  return {};
}

Result<SafetensorsFile> SafetensorsFile::Open(const std::string& path) {
  auto mapped = MappedFile::Open(path);
  if (!mapped.ok()) return mapped.error();
  auto storage = std::make_shared<const MappedFile>(std::move(*mapped));
  const std::span<const std::byte> bytes = storage->bytes();
  return Parse(bytes, path, std::move(storage));
}

Result<SafetensorsFile> SafetensorsFile::Parse(std::span<const std::byte> bytes, std::string path,
                                               std::shared_ptr<const void> storage) {
  SafetensorsFile file;
  file.path_ = std::move(path);
  file.bytes_ = bytes;
  file.storage_ = std::move(storage);
  if (Status status = SafetensorsParser(file).Parse(); !status.ok()) return status.error();
  return file;
}

}  // namespace ltri
