// GgufTensors: takes the tensors of a model out of a file by name, with the shape that the configuration asks for.
//
// Like GgufFields it keeps the first error and goes on with empty results.
#ifndef LTRI_WEIGHTS_GGUF_TENSORS_H_
#define LTRI_WEIGHTS_GGUF_TENSORS_H_

#include <cstdint>
#include <string>
#include <unordered_set>

#include "ltri/result.h"
#include "weights/gguf_file.h"
#include "weights/model_weights.h"

namespace ltri {

class GgufTensors {
 public:
  explicit GgufTensors(const GgufFile& file) : file_(file) {}

  bool Has(const std::string& name) const { return file_.FindTensor(name) != nullptr; }

  // [rows, cols], a view into the file.
  Matrix TakeMatrix(const std::string& name, int64_t rows, int64_t cols);
  // [size], as floats.
  Vector TakeVector(const std::string& name, int64_t size);
  // The same, or empty when the file has no such tensor.
  Vector TakeOptionalVector(const std::string& name, int64_t size);
  // Counts a tensor as taken that is known not to matter.
  void Ignore(const std::string& name) { taken_.insert(name); }

  // Fails when a tensor was never taken: the model then has a part that this build would leave out.
  void RejectRest();

  void Fail(ErrorCode code, const std::string& message);
  const Status& status() const { return status_; }

 private:
  const GgufTensor* Take(const std::string& name);

  const GgufFile& file_;
  std::unordered_set<std::string> taken_;
  Status status_;
};

}  // namespace ltri

#endif  // LTRI_WEIGHTS_GGUF_TENSORS_H_
