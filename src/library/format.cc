#include "library/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "text/utf8.h"

namespace ltri {
namespace {

constexpr uint32_t kVersion = 1;
constexpr uint32_t kByteOrder = 0x01020304;
constexpr size_t kLongestName = 200;  // bytes
constexpr std::string_view kSegment = "segment.";
constexpr std::string_view kState = "state.";

// The number behind `prefix`, when `name` is what `make` makes of it.
std::optional<int64_t> ParseNumber(std::string_view name, std::string_view prefix, std::string (*make)(int64_t)) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = name.substr(prefix.size());
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || number < 1 || make(number) != name) return std::nullopt;
  return number;
}

}  // namespace

void WriteFormatMark(StateWriter& out, std::string_view letters) {
  out.PutRaw(BytesOf(letters));
  out.Put(kVersion);
  out.Put(kByteOrder);
}

Status CheckFormatMark(const std::string& path, std::span<const std::byte> bytes, std::string_view letters) {
  StateReader reader(bytes);
  if (TextOf(reader.GetRaw(letters.size())) != letters) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: offset 0: does not begin with {}", path, letters)};
  }
  const auto version = reader.Get<uint32_t>();
  const auto order = reader.Get<uint32_t>();
  if (reader.ok() && version == kVersion && order == kByteOrder) return {};
  return Error{
      ErrorCode::kUnsupported,
      fmt::format("{}: offset 8: has version {} and order of bytes {:08x}; this build reads version {} and {:08x}",
                  path, version, order, kVersion, kByteOrder)};
}

std::string IdText(uint64_t id) { return fmt::format("{:016x}", id); }

std::optional<uint64_t> ParseId(std::string_view text) {
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (error != std::errc() || IdText(id) != text) return std::nullopt;
  return id;
}

uint64_t RandomId() {
  std::random_device random;
  return (uint64_t{random()} << 32) | random();
}

std::string SegmentName(int64_t number) { return fmt::format("{}{:08}", kSegment, number); }
std::string StateName(int64_t generation) { return fmt::format("{}{:012}", kState, generation); }

std::optional<int64_t> ParseSegmentName(std::string_view name) { return ParseNumber(name, kSegment, SegmentName); }
std::optional<int64_t> ParseStateName(std::string_view name) { return ParseNumber(name, kState, StateName); }

Status CheckDocumentName(const std::string& name) {
  const auto forbidden = [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' ' || c == 0x7F;
  };
  std::string wrong;
  if (name.empty()) wrong = "it is empty";
  if (name.size() > kLongestName) wrong = fmt::format("it has more than {} bytes", kLongestName);
  if (FindInvalidUtf8(name)) return Error{ErrorCode::kInvalidArgument, "the name of the document is not UTF-8"};
  if (name.starts_with('.') || name.starts_with('-')) wrong = "it begins with . or -";
  if (name.starts_with(' ') || name.ends_with(' ')) wrong = "it begins or ends with a space";
  if (std::any_of(name.begin(), name.end(), forbidden)) wrong = "it has a slash or a control character";
  if (wrong.empty()) return {};
  std::string shown = name.substr(0, kLongestName);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, '?');
  return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' cannot be the name of a document: {}", shown, wrong)};
}

}  // namespace ltri
