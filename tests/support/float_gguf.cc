#include "support/float_gguf.h"

#include <ggml.h>
#include <gguf.h>

#include <cstddef>
#include <memory>

#include "weights/ggml_types.h"

namespace ltri::testing {
namespace {

struct GgufDeleter {
  void operator()(gguf_context* file) const { gguf_free(file); }
};
struct GgmlDeleter {
  void operator()(ggml_context* context) const { ggml_free(context); }
};

bool IsLayerMatrix(const ggml_tensor* tensor) {
  return std::string(tensor->name).starts_with("blk.") && tensor->ne[1] > 1 && tensor->type != GGML_TYPE_F32;
}

}  // namespace

bool WriteFloatLayers(const std::string& path, const std::string& target) {
  ggml_context* data = nullptr;
  const std::unique_ptr<gguf_context, GgufDeleter> from(gguf_init_from_file(path.c_str(), {false, &data}));
  const std::unique_ptr<ggml_context, GgmlDeleter> stored(data);
  if (from == nullptr) return false;
  size_t bytes = size_t{1} << 20U;
  for (ggml_tensor* t = ggml_get_first_tensor(data); t != nullptr; t = ggml_get_next_tensor(data, t)) {
    if (IsLayerMatrix(t)) bytes += static_cast<size_t>(ggml_nelements(t)) * sizeof(float) + 2 * ggml_tensor_overhead();
  }
  const std::unique_ptr<ggml_context, GgmlDeleter> floats(ggml_init({bytes, nullptr, false}));
  const std::unique_ptr<gguf_context, GgufDeleter> to(gguf_init_empty());
  gguf_set_kv(to.get(), from.get());
  for (int64_t i = 0; i < gguf_get_n_tensors(from.get()); ++i) {
    const ggml_tensor* tensor = ggml_get_tensor(data, gguf_get_tensor_name(from.get(), i));
    if (IsLayerMatrix(tensor)) {
      ggml_tensor* wide = ggml_new_tensor_2d(floats.get(), GGML_TYPE_F32, tensor->ne[0], tensor->ne[1]);
      ggml_set_name(wide, tensor->name);
      DequantizeRow(tensor->type, static_cast<const std::byte*>(tensor->data), static_cast<float*>(wide->data),
                    ggml_nelements(tensor));
      tensor = wide;
    }
    gguf_add_tensor(to.get(), tensor);
  }
  return gguf_write_to_file(to.get(), target.c_str(), /*only_meta=*/false);
}

}  // namespace ltri::testing
