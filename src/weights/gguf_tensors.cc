#include "weights/gguf_tensors.h"

#include <fmt/format.h>

#include "weights/ggml_types.h"

namespace ltri {

void GgufTensors::Fail(ErrorCode code, const std::string& message) {
  if (status_.ok()) status_ = Error{code, fmt::format("{}: {}", file_.path(), message)};
}

const GgufTensor* GgufTensors::Take(const std::string& name) {
  const GgufTensor* tensor = file_.FindTensor(name);
  if (tensor == nullptr) {
    Fail(ErrorCode::kCorrupt, fmt::format("tensor {} is missing", Quoted(file_.Called(name))));
  } else {
    taken_.insert(name);
  }
  return tensor;
}

Matrix GgufTensors::TakeMatrix(const std::string& name, int64_t rows, int64_t cols) {
  const GgufTensor* tensor = Take(name);
  if (tensor == nullptr) return {};
  if (tensor->dims != 2 || tensor->shape[0] != cols || tensor->shape[1] != rows) {
    Fail(ErrorCode::kCorrupt, fmt::format("tensor {} has shape {}, expected [{}, {}]", Quoted(file_.Called(name)),
                                          tensor->ShapeText(), cols, rows));
    return {};
  }
  return {tensor->data, rows, cols, tensor->type, TypeRowBytes(tensor->type, cols)};
}

Vector GgufTensors::TakeVector(const std::string& name, int64_t size) {
  const GgufTensor* tensor = Take(name);
  if (tensor == nullptr) return {};
  if (tensor->dims != 1 || tensor->shape[0] != size) {
    Fail(ErrorCode::kCorrupt,
         fmt::format("tensor {} has shape {}, expected [{}]", Quoted(file_.Called(name)), tensor->ShapeText(), size));
    return {};
  }
  Vector vector(static_cast<size_t>(size));
  DequantizeRow(tensor->type, tensor->data, vector.data(), size);
  return vector;
}

Vector GgufTensors::TakeOptionalVector(const std::string& name, int64_t size) {
  return Has(name) ? TakeVector(name, size) : Vector();
}

void GgufTensors::RejectRest() {
  for (const GgufTensor& tensor : file_.tensors()) {
    if (taken_.contains(std::string(tensor.name))) continue;
    Fail(ErrorCode::kUnsupported, fmt::format("tensor {} with shape {} has no place in this architecture; running "
                                              "without it would give wrong results",
                                              Quoted(tensor.name), tensor.ShapeText()));
    return;
  }
}

}  // namespace ltri
