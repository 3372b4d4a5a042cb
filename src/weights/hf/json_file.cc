#include "weights/hf/json_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mapped_file.h"
#include "weights/gguf_file.h"

namespace ltri {

using nlohmann::json;

Result<json> ReadJsonFile(const std::string& path) {
  const Result<MappedFile> file = MappedFile::Open(path);
  if (!file.ok()) return file.error();
  const auto* text = reinterpret_cast<const char*>(file->bytes().data());
  try {
    json parsed = json::parse(text, text + file->bytes().size());
    if (parsed.is_object()) return parsed;
    return Error{ErrorCode::kCorrupt, fmt::format("{}: is {}, expected a JSON object", path, Written(parsed))};
  } catch (const json::exception& e) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: is no JSON: {}", path, Plain(e.what()))};
  }
}

const json& Member(const json& object, const char* name) {
  static const json kNull;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found == object.end() ? kNull : *found;
}

std::string Written(const json& value, size_t most) {
  const std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  return text.size() > most ? text.substr(0, most) + "..." : text;
}

const json* JsonFields::Find(const std::string& name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void JsonFields::Fail(ErrorCode code, const std::string& name, const std::string& message) {
  if (status_.ok()) status_ = Error{code, fmt::format("{} {}", Place(name), message)};
}

const json* JsonFields::Take(const std::string& name, bool (*fits)(const json&), const char* expected) {
  const json* value = Find(name);
  if (value == nullptr) {
    Fail(ErrorCode::kCorrupt, name, fmt::format("is missing, expected {}", expected));
  } else if (!fits(*value)) {
    Fail(ErrorCode::kCorrupt, name, fmt::format("is {}, expected {}", Written(*value), expected));
    return nullptr;
  }
  return value;
}

int64_t JsonFields::Integer(const std::string& name) {
  const auto fits = [](const json& value) {
    return value.is_number_integer() && (!value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t{INT64_MAX});
  };
  const json* value = Take(name, fits, "a whole number");
  return value == nullptr ? 0 : value->get<int64_t>();
}

double JsonFields::Number(const std::string& name) {
  const json* value = Take(
      name, [](const json& v) { return v.is_number(); }, "a number");
  return value == nullptr ? 0 : value->get<double>();
}

std::string JsonFields::Text(const std::string& name) {
  const json* value = Take(
      name, [](const json& v) { return v.is_string(); }, "a text");
  return value == nullptr ? "" : value->get<std::string>();
}

bool JsonFields::FlagOr(const std::string& name, bool fallback) {
  if (!Has(name)) return fallback;
  const json* value = Take(
      name, [](const json& v) { return v.is_boolean(); }, "true or false");
  return value == nullptr ? fallback : value->get<bool>();
}

std::vector<float> JsonFields::Numbers(const std::string& name) {
  const auto fits = [](const json& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_number(); });
  };
  const json* value = Take(name, fits, "a list of numbers");
  return value == nullptr ? std::vector<float>() : value->get<std::vector<float>>();
}

const json& JsonFields::Object(const std::string& name) {
  static const json kEmpty = json::object();
  if (!Has(name)) return kEmpty;
  const json* value = Take(
      name, [](const json& v) { return v.is_object(); }, "an object");
  return value == nullptr ? kEmpty : *value;
}

}  // namespace ltri
