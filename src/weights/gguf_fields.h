// GgufFields: reads and checks the hyperparameters of one architecture.
//
// It keeps the first error and goes on with values that are in range, so a reader states all fields in a row and asks
// for the error once. Keys are given without the architecture's name: "block_count" for "llama.block_count".
#ifndef LTRI_WEIGHTS_GGUF_FIELDS_H_
#define LTRI_WEIGHTS_GGUF_FIELDS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ltri/result.h"
#include "weights/gguf_file.h"

namespace ltri {

class GgufFields {
 public:
  GgufFields(const GgufFile& file, std::string architecture) : file_(file), prefix_(std::move(architecture) + ".") {}

  bool Has(std::string_view key) const { return file_.FindValue(Key(key)) != nullptr; }

  // An integer in [min, max] that must be there; a list counts when all its elements are equal.
  int64_t Integer(std::string_view key, int64_t min, int64_t max);
  int64_t IntegerOr(std::string_view key, int64_t fallback, int64_t min, int64_t max);
  // A number in [min, max].
  float Number(std::string_view key, double min, double max);
  float NumberOr(std::string_view key, float fallback, double min, double max);
  std::string TextOr(std::string_view key, std::string_view fallback);
  // A list of `count` truth values (or integers: not zero is true).
  std::vector<bool> Bools(std::string_view key, int64_t count);

  // Records the first error only.
  void Fail(ErrorCode code, const std::string& message);
  void Fail(const Error& error);
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  std::string Key(std::string_view key) const { return prefix_ + std::string(key); }
  // The same for messages.
  std::string Name(std::string_view key) const { return file_.Called(Key(key)); }
  const GgufFile& file() const { return file_; }

 private:
  const GgufFile& file_;
  std::string prefix_;
  Status status_;
};

}  // namespace ltri

#endif  // LTRI_WEIGHTS_GGUF_FIELDS_H_
