#include "weights/ggml_types.h"

#include <ggml.h>

#include <cstring>

namespace ltri {
namespace {

const ggml_type_traits* Traits(int type) {
  return type >= 0 && type < GGML_TYPE_COUNT ? ggml_get_type_traits(static_cast<ggml_type>(type)) : nullptr;
}

}  // namespace

static_assert(kTypeF32 == GGML_TYPE_F32);

bool TypeIsReadable(int type) {
  const ggml_type_traits* traits = Traits(type);
  return traits != nullptr && traits->blck_size > 0 && traits->type_size > 0 &&
         (type == GGML_TYPE_F32 || traits->to_float != nullptr);
}

const char* TypeName(int type) {
  const ggml_type_traits* traits = Traits(type);
  return traits != nullptr && traits->type_name != nullptr ? traits->type_name : "unknown";
}

int64_t TypeBlockValues(int type) { return Traits(type)->blck_size; }

int64_t TypeBlockBytes(int type) { return static_cast<int64_t>(Traits(type)->type_size); }

int64_t TypeRowBytes(int type, int64_t values) { return values / TypeBlockValues(type) * TypeBlockBytes(type); }

void DequantizeRow(int type, const std::byte* src, float* dst, int64_t values) {
  if (type == GGML_TYPE_F32) {
    std::memcpy(dst, src, static_cast<size_t>(values) * sizeof(float));
  } else {
    Traits(type)->to_float(src, dst, values);
  }
}

}  // namespace ltri
