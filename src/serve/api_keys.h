// ApiKeys: who may use the server. Immutable, so thread-safe.
#ifndef LTRI_SERVE_API_KEYS_H_
#define LTRI_SERVE_API_KEYS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ltri/result.h"

namespace ltri {

class ApiKeys {
 public:
  // A file with a key a line; empty lines and those that begin with # do not count. An empty path: everyone may.
  // Errors: kNotFound; kInvalidArgument when there is no key in it, or one of less than 8 characters.
  static Result<ApiKeys> Load(const std::string& path);

  bool needed() const { return !keys_.empty(); }
  // authorization: the header's value, "Bearer KEY". Takes as long whatever is wrong.
  bool Allows(std::string_view authorization) const;

 private:
  explicit ApiKeys(std::vector<std::string> keys) : keys_(std::move(keys)) {}

  std::vector<std::string> keys_;
};

}  // namespace ltri

#endif  // LTRI_SERVE_API_KEYS_H_
