// x as bytes, for single vectors (matvec.h) and for block rows (byte_panels.h). Needs AVX2, which all CPUs with such
// kernels have.
#include "hwy/base.h"

#if HWY_ARCH_X86

#include <immintrin.h>

#include <cstdint>

#include "ops/cpu/byte_panels.h"
#include "ops/cpu/matvec.h"

namespace ltri {
namespace {

constexpr int kLanes = 8;

// 32 values rounded: value = scale * byte.
struct Rounded {
  __m256i bytes;
  float scale;
};

HWY_PUSH_ATTRIBUTES("avx2,fma")

HWY_INLINE float LargestOf(__m256 v) {
  __m128 top = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  top = _mm_max_ps(top, _mm_movehl_ps(top, top));
  return _mm_cvtss_f32(_mm_max_ss(top, _mm_movehdup_ps(top)));
}

HWY_INLINE Rounded RoundBlock(const float* x) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  __m256 values[4];
  __m256 most = _mm256_setzero_ps();
  for (int i = 0; i < 4; ++i) {
    values[i] = _mm256_loadu_ps(x + kLanes * i);
    most = _mm256_max_ps(most, _mm256_andnot_ps(sign, values[i]));
  }
  const float top = LargestOf(most);
  const __m256 inverse = _mm256_set1_ps(top > 0 ? 127.0F / top : 0.0F);
  __m256i whole[4];
  for (int i = 0; i < 4; ++i) whole[i] = _mm256_cvtps_epi32(_mm256_mul_ps(values[i], inverse));
  // Packing works within 128 bits; the last step puts the parts in order.
  const __m256i bytes =
      _mm256_packs_epi16(_mm256_packs_epi32(whole[0], whole[1]), _mm256_packs_epi32(whole[2], whole[3]));
  return {_mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)), top / 127.0F};
}

// Of four bytes a lane.
HWY_INLINE __m256i SumsOfFour(__m256i bytes) {
  return _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes), _mm256_set1_epi16(1));
}

HWY_INLINE int32_t SumOf(__m128i v) {
  v = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(v, _mm_shuffle_epi32(v, 0xB1)));
}

void RoundRowBlock(const float* x, RoundedBlock* to) {
  const Rounded rounded = RoundBlock(x);
  const __m256i sums = SumsOfFour(rounded.bytes);
  const int32_t low = SumOf(_mm256_castsi256_si128(sums));
  const int32_t high = SumOf(_mm256_extracti128_si256(sums, 1));
  _mm256_store_si256(reinterpret_cast<__m256i*>(to->values), rounded.bytes);
  to->scale = rounded.scale;
  to->sum = rounded.scale * static_cast<float>(low + high);
  to->negative_of[0] = -low;
  to->negative_of[1] = -high;
  to->negative_of[2] = -(low + high);
}

// Half 0 or 1 of a part.
void RoundPartHalf(const float* x, int half, VectorPart* to) {
  const Rounded rounded = x != nullptr ? RoundBlock(x) : Rounded{_mm256_setzero_si256(), 0.0F};
  const __m256i negative = _mm256_sub_epi32(_mm256_setzero_si256(), SumsOfFour(rounded.bytes));
  const __m256i eights = _mm256_add_epi32(negative, _mm256_shuffle_epi32(negative, 0xB1));
  const __m256i halves = _mm256_add_epi32(eights, _mm256_shuffle_epi32(eights, 0x4E));
  _mm256_store_si256(reinterpret_cast<__m256i*>(to->values + 32 * half), rounded.bytes);
  _mm256_store_si256(reinterpret_cast<__m256i*>(to->negative_sums + kLanes * half), negative);
  _mm256_store_si256(reinterpret_cast<__m256i*>(to->negative_halves + kLanes * half), halves);
  _mm256_store_ps(to->scales + kLanes * half, _mm256_set1_ps(rounded.scale));
}

HWY_POP_ATTRIBUTES

}  // namespace

void RoundRow(const float* x, int64_t cols, RoundedBlock* to) {
  for (int64_t i = 0; i < cols; i += 32) RoundRowBlock(x + i, to++);
}

void RoundVector(const float* x, int64_t cols, VectorPart* to) {
  for (int64_t i = 0; i < cols; i += 64, ++to) {
    RoundPartHalf(x + i, 0, to);
    RoundPartHalf(i + 32 < cols ? x + i + 32 : nullptr, 1, to);
  }
}

}  // namespace ltri

#endif  // HWY_ARCH_X86
