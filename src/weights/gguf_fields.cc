#include "weights/gguf_fields.h"

#include <fmt/format.h>

namespace ltri {

void GgufFields::Fail(const Error& error) {
  if (status_.ok()) status_ = error;
}

void GgufFields::Fail(ErrorCode code, const std::string& message) {
  Fail(Error{code, fmt::format("{}: {}", file_.path(), message)});
}

int64_t GgufFields::Integer(std::string_view key, int64_t min, int64_t max) {
  const std::string name = Key(key);
  const GgufValue* value = file_.FindValue(name);
  const uint64_t count = value != nullptr ? value->count : 1;
  int64_t first = min;
  for (uint64_t i = 0; i < std::max<uint64_t>(count, 1); ++i) {
    const auto integer = file_.Integer(name, i);
    if (!integer) {
      Fail(integer.error());
      return min;
    }
    if (*integer < min || *integer > max) {
      Fail(ErrorCode::kCorrupt, fmt::format("{} is {}, expected {} to {}", Name(key), *integer, min, max));
      return min;
    }
    if (i > 0 && *integer != first) {
      Fail(ErrorCode::kUnsupported, fmt::format("{} is {} in layer 0 and {} in layer {}; models whose layers differ "
                                                "in it are not supported",
                                                Name(key), first, *integer, i));
      return min;
    }
    first = *integer;
  }
  return first;
}

int64_t GgufFields::IntegerOr(std::string_view key, int64_t fallback, int64_t min, int64_t max) {
  return Has(key) ? Integer(key, min, max) : fallback;
}

float GgufFields::Number(std::string_view key, double min, double max) {
  const std::string name = Key(key);
  const auto number = file_.Number(name);
  if (!number) {
    Fail(number.error());
  } else if (*number < min || *number > max) {
    Fail(ErrorCode::kCorrupt, fmt::format("{} is {}, expected {} to {}", Name(key), *number, min, max));
  } else {
    return static_cast<float>(*number);
  }
  return static_cast<float>(min);
}

float GgufFields::NumberOr(std::string_view key, float fallback, double min, double max) {
  return Has(key) ? Number(key, min, max) : fallback;
}

std::string GgufFields::TextOr(std::string_view key, std::string_view fallback) {
  if (!Has(key)) return std::string(fallback);
  auto text = file_.Text(Key(key));
  if (text) return std::move(*text);
  Fail(text.error());
  return std::string(fallback);
}

std::vector<bool> GgufFields::Bools(std::string_view key, int64_t count) {
  const std::string name = Key(key);
  const GgufValue* value = file_.FindValue(name);
  std::vector<bool> bools(static_cast<size_t>(count), false);
  if (value == nullptr || value->type != GgufType::kArray || value->count != static_cast<uint64_t>(count)) {
    Fail(ErrorCode::kCorrupt,
         fmt::format("{} has {} elements, expected {}", Name(key), value == nullptr ? 0 : value->count, count));
    return bools;
  }
  for (size_t i = 0; i < bools.size(); ++i) {
    if (value->element == GgufType::kBool) {
      const auto flag = file_.Bool(name, i);
      bools[i] = flag.ok() && *flag;
    } else if (const auto integer = file_.Integer(name, i); integer) {
      bools[i] = *integer != 0;
    } else {
      Fail(integer.error());
      return bools;
    }
  }
  return bools;
}

}  // namespace ltri
