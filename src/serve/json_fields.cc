#include "serve/json_fields.h"

#include <fmt/format.h>

#include <algorithm>

namespace ltri {
namespace {

constexpr int kMostDepth = 64;

// How deep brackets nest, strings aside. For any text.
int Depth(std::string_view text) {
  int depth = 0;
  int most = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      most = std::max(most, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return most;
}

}  // namespace

Result<Json> ParseObject(std::string_view text) {
  if (Depth(text) > kMostDepth) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("the body nests deeper than {} levels", kMostDepth)};
  }
  try {
    Json json = Json::parse(text);
    if (json.is_object()) return json;
    return Error{ErrorCode::kInvalidArgument, "the body must be a JSON object"};
  } catch (const Json::exception& e) {
    const std::string_view what = e.what();
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the body is no JSON: {}", what.substr(std::min(what.size(), what.find("] ") + 2)))};
  }
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

const Json* Fields::Find(const std::string& name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool Fields::Flag(const std::string& name, bool standard) {
  const Json* value = Find(name);
  if (value == nullptr) return standard;
  if (value->is_boolean()) return value->get<bool>();
  Fail(name, "must be true or false");
  return standard;
}

int64_t Fields::Integer(const std::string& name, int64_t standard, int64_t low, int64_t high) {
  const Json* value = Find(name);
  if (value == nullptr) return standard;
  if (value->is_number_integer() && (!value->is_number_unsigned() || value->get<uint64_t>() <= INT64_MAX)) {
    const auto number = value->get<int64_t>();
    if (number >= low && number <= high) return number;
  }
  Fail(name, fmt::format("must be a whole number from {} to {}", low, high));
  return standard;
}

double Fields::Number(const std::string& name, double standard, double low, double high) {
  const Json* value = Find(name);
  if (value == nullptr) return standard;
  if (value->is_number()) {
    const auto number = value->get<double>();
    if (number >= low && number <= high) return number;
  }
  Fail(name, fmt::format("must be a number from {} to {}", low, high));
  return standard;
}

std::string Fields::Text(const std::string& name, const std::string& standard) {
  const Json* value = Find(name);
  if (value == nullptr) return standard;
  if (value->is_string()) return value->get<std::string>();
  Fail(name, "must be a string");
  return standard;
}

void Fields::Fail(const std::string& name, const std::string& message) {
  if (error_.has_value()) return;
  error_ = ApiError{400, fmt::format("'{}{}' {}", prefix_, name, message), prefix_ + name, "invalid_value"};
}

}  // namespace ltri
