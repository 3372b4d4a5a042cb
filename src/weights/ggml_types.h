// What ggml knows of its number formats: F32, F16, BF16 and the block-quantised types.
//
// `type` is a ggml_type everywhere, as an int so that no header of ggml is needed.
#ifndef LTRI_WEIGHTS_GGML_TYPES_H_
#define LTRI_WEIGHTS_GGML_TYPES_H_

#include <cstddef>
#include <cstdint>

namespace ltri {

// ggml's numbers of the types that have code of their own here.
inline constexpr int kTypeF32 = 0;
inline constexpr int kTypeF16 = 1;
inline constexpr int kTypeQ4_0 = 2;
inline constexpr int kTypeQ4_1 = 3;
inline constexpr int kTypeQ5_0 = 6;
inline constexpr int kTypeQ5_1 = 7;
inline constexpr int kTypeQ8_0 = 8;
inline constexpr int kTypeQ4K = 12;
inline constexpr int kTypeQ5K = 13;
inline constexpr int kTypeQ6K = 14;
inline constexpr int kTypeBf16 = 30;

// Whether ggml has such a type and can turn it into floats. The functions below need that.
bool TypeIsReadable(int type);

// "f32", "q4_K", ...; "unknown" when ggml has no such type. Never null.
const char* TypeName(int type);

// Values in a block (1 for plain numbers) and the bytes a block takes.
int64_t TypeBlockValues(int type);
int64_t TypeBlockBytes(int type);

// Bytes of `values` numbers; `values` is a multiple of TypeBlockValues.
int64_t TypeRowBytes(int type, int64_t values);

// dst[0, values) = the numbers at src; `values` is a multiple of TypeBlockValues.
void DequantizeRow(int type, const std::byte* src, float* dst, int64_t values);

}  // namespace ltri

#endif  // LTRI_WEIGHTS_GGML_TYPES_H_
