// JSON that comes from clients: parsed within limits, its fields taken with their bounds.
#ifndef LTRI_SERVE_JSON_FIELDS_H_
#define LTRI_SERVE_JSON_FIELDS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ltri/result.h"
#include "serve/api_error.h"

namespace ltri {

using Json = nlohmann::ordered_json;

// An object, nested at most 64 deep. Error kInvalidArgument says where it goes wrong.
Result<Json> ParseObject(std::string_view text);

// On one line. Text that is no UTF-8 is replaced, so it never fails.
std::string Dump(const Json& json);

// The fields of an object. A field that is missing or null has its default. The first field that does not fit becomes
// error(), and all that follow have their defaults.
class Fields {
 public:
  // prefix: of the fields' names in messages ("ltri.").
  explicit Fields(const Json& object, std::string prefix = "") : object_(object), prefix_(std::move(prefix)) {}

  // Null: it is not there.
  const Json* Find(const std::string& name) const;

  bool Flag(const std::string& name, bool standard);
  int64_t Integer(const std::string& name, int64_t standard, int64_t low, int64_t high);
  double Number(const std::string& name, double standard, double low, double high);
  std::string Text(const std::string& name, const std::string& standard);

  void Fail(const std::string& name, const std::string& message);
  const std::optional<ApiError>& error() const { return error_; }

 private:
  const Json& object_;
  std::string prefix_;
  std::optional<ApiError> error_;
};

}  // namespace ltri

#endif  // LTRI_SERVE_JSON_FIELDS_H_
