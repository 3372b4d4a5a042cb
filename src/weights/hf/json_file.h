// The JSON files of a model folder, and their fields with the types that are expected of them.
#ifndef LTRI_WEIGHTS_HF_JSON_FILE_H_
#define LTRI_WEIGHTS_HF_JSON_FILE_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ltri/result.h"

namespace ltri {

// An object. Errors name the file: those of MappedFile::Open, kCorrupt with the place where it stops to be JSON.
Result<nlohmann::json> ReadJsonFile(const std::string& path);

// The fields of an object. A field that is null counts as missing. The first error is kept in `status`, which several
// objects may share, and reading goes on with a harmless value.
class JsonFields {
 public:
  // place: what messages put before the field's name, "model/config.json" say.
  JsonFields(const nlohmann::json& object, std::string place, Status& status)
      : object_(object), place_(std::move(place)), status_(status) {}

  const nlohmann::json* Find(const std::string& name) const;  // null: missing
  bool Has(const std::string& name) const { return Find(name) != nullptr; }

  // Must be there.
  int64_t Integer(const std::string& name);
  double Number(const std::string& name);
  std::string Text(const std::string& name);
  std::vector<float> Numbers(const std::string& name);
  // An object; an empty one when it is missing or of another kind.
  const nlohmann::json& Object(const std::string& name);

  int64_t IntegerOr(const std::string& name, int64_t fallback) { return Has(name) ? Integer(name) : fallback; }
  double NumberOr(const std::string& name, double fallback) { return Has(name) ? Number(name) : fallback; }
  std::string TextOr(const std::string& name, const std::string& fallback) { return Has(name) ? Text(name) : fallback; }
  bool FlagOr(const std::string& name, bool fallback);

  // `message` goes on after the name: "is 3, expected ...".
  void Fail(ErrorCode code, const std::string& name, const std::string& message);
  bool ok() const { return status_.ok(); }
  Status& status() { return status_; }
  std::string Place(const std::string& name) const { return place_ + ": " + name; }

 private:
  const nlohmann::json* Take(const std::string& name, bool (*fits)(const nlohmann::json&), const char* expected);

  const nlohmann::json& object_;
  std::string place_;
  Status& status_;
};

// A field of what should be an object; null when it is none or has no such field.
const nlohmann::json& Member(const nlohmann::json& object, const char* name);

// A value as it is written in JSON, cut after `most` bytes, for messages.
std::string Written(const nlohmann::json& value, size_t most = 80);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_HF_JSON_FILE_H_
