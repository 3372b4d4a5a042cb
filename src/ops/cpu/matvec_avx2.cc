// Products with single vectors on AVX2, four rows at a time: weights are used as unsigned bytes u, the vector as signed
// bytes v. The sums of eight products fit 16 bits, so those of four rows are brought into one register before they are
// scaled: a lane for each half of a row's block. What a type subtracts from u is the sums' first value.
#include "hwy/base.h"

#if HWY_ARCH_X86

// GCC takes the undefined registers of its own headers for mistakes.
HWY_DIAGNOSTICS_OFF(disable : 4701, ignored "-Wmaybe-uninitialized")
HWY_DIAGNOSTICS_OFF(disable : 4703, ignored "-Wuninitialized")

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "ops/cpu/instructions.h"
#include "ops/cpu/matvec_kernels.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

// Memory is asked for this far ahead: by itself the hardware stops at the end of a page of 4 KB.
constexpr int64_t kAhead = 8192;
constexpr int kRows = 4;

HWY_PUSH_ATTRIBUTES("avx2,fma,f16c")

// 32 weights: a scale, perhaps a minimum, perhaps a fifth bit of each, 16 bytes of 4 bits: low halves first.
template <int kBlockBytes, int kZeroBitsOrNone, bool kFifthBit>
struct Nibbles {
  static constexpr int64_t kBytes = kBlockBytes;
  static constexpr int kZeroBits = kZeroBitsOrNone;  // the code of zero is 2 to this
  static constexpr bool kHasMinimum = kZeroBits < 0;

  static HWY_INLINE __m256i Load(const std::byte* at) {
    const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + kBytes - 16));
    const __m256i twice = _mm256_broadcastsi128_si256(raw);
    const __m256i codes =
        _mm256_and_si256(_mm256_srlv_epi64(twice, _mm256_setr_epi64x(0, 0, 4, 4)), _mm256_set1_epi8(15));
    if constexpr (!kFifthBit) return codes;
    return _mm256_or_si256(codes, FifthBits(at + kBytes - 20));
  }

  static HWY_INLINE __m256i FifthBits(const std::byte* at) {
    int32_t bits = 0;
    std::memcpy(&bits, at, sizeof(bits));
    const __m256i order = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3,
                                           3, 3, 3, 3, 3, 3);
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(bits), order);
    const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201U));
    return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit), _mm256_set1_epi8(16));
  }
};

using Q4_0 = Nibbles<18, 3, false>;
using Q4_1 = Nibbles<20, -1, false>;
using Q5_0 = Nibbles<22, 4, true>;
using Q5_1 = Nibbles<24, -1, true>;

// The vector's 32 values that a block of weights meets.
struct Block {
  __m256i values;
  __m256i start;  // of the sums
  __m256 scale;
  __m256 minus;  // -scale * (sum of the bytes of a half)
};

template <typename Type>
HWY_INLINE Block LoadBlock(const VectorPart& part, int half) {
  Block x{};
  x.values = _mm256_load_si256(reinterpret_cast<const __m256i*>(part.values + 32 * half));
  const __m256i negative = _mm256_load_si256(reinterpret_cast<const __m256i*>(part.negative_halves + 8 * half));
  x.scale = _mm256_load_ps(part.scales + 8 * half);
  if constexpr (Type::kHasMinimum) {
    x.start = _mm256_setzero_si256();
    x.minus = _mm256_mul_ps(x.scale, _mm256_cvtepi32_ps(negative));
  } else {
    x.start = _mm256_slli_epi32(negative, Type::kZeroBits);
  }
  return x;
}

HWY_INLINE __m128i LoadWord(const std::byte* at) {
  int32_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return _mm_cvtsi32_si128(word);
}

// Of each row its scale and what stands behind it (the minimum, if there is one), as floats.
HWY_INLINE __m256 LoadScales(const std::byte* at, int64_t row_bytes) {
  const __m128i low = _mm_unpacklo_epi32(LoadWord(at), LoadWord(at + row_bytes));
  const __m128i high = _mm_unpacklo_epi32(LoadWord(at + 2 * row_bytes), LoadWord(at + 3 * row_bytes));
  return _mm256_cvtph_ps(_mm_unpacklo_epi64(low, high));
}

// sums + what the blocks at `at` of four rows and x give: [half of the block][row].
template <typename Type>
HWY_INLINE __m256 AddBlocks(const std::byte* at, int64_t row_bytes, const Block& x, __m256 sums) {
  static_assert(8 * 31 * 127 < 32768);
  __m256i pairs[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) pairs[r] = _mm256_maddubs_epi16(Type::Load(at + r * row_bytes), x.values);
  const __m256i eights =
      _mm256_hadd_epi16(_mm256_hadd_epi16(pairs[0], pairs[1]), _mm256_hadd_epi16(pairs[2], pairs[3]));
  const __m256i dots = _mm256_add_epi32(_mm256_madd_epi16(eights, _mm256_set1_epi16(1)), x.start);
  const __m256 scales = LoadScales(at, row_bytes);
  const __m256 scale = _mm256_permutevar8x32_ps(scales, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
  sums = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots), _mm256_mul_ps(scale, x.scale), sums);
  if constexpr (Type::kHasMinimum) {
    const __m256 minimum = _mm256_permutevar8x32_ps(scales, _mm256_setr_epi32(1, 3, 5, 7, 1, 3, 5, 7));
    sums = _mm256_fnmadd_ps(minimum, x.minus, sums);
  }
  return sums;
}

// Rows of w times x, kRows of them `row_bytes` apart (0: the same one several times).
template <typename Type>
HWY_INLINE __m128 DotRows(const std::byte* row, int64_t row_bytes, const VectorPart* x, int64_t cols,
                          const std::byte* end) {
  __m256 sums = _mm256_setzero_ps();
  const std::byte* ahead = row + kAhead < end ? row + kAhead : row;  // behind the end is another thread's share
  for (int64_t parts = cols / 64; parts > 0; --parts, ++x, row += 2 * Type::kBytes) {
    for (int64_t i = 0; i < 2 * kRows * Type::kBytes; i += 64) _mm_prefetch(ahead + i, _MM_HINT_T0);
    ahead += 2 * kRows * Type::kBytes;
    sums = AddBlocks<Type>(row, row_bytes, LoadBlock<Type>(*x, 0), sums);
    sums = AddBlocks<Type>(row + Type::kBytes, row_bytes, LoadBlock<Type>(*x, 1), sums);
  }
  if (cols % 64 != 0) sums = AddBlocks<Type>(row, row_bytes, LoadBlock<Type>(*x, 0), sums);
  return _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
}

template <typename Type>
void MatvecOf(const Matrix& w, int64_t first, int64_t count, const VectorPart* x, float* y) {
  const std::byte* row = w.data + first * w.row_bytes;
  const std::byte* end = row + count * w.row_bytes;
  int64_t i = 0;
  for (; i + kRows <= count; i += kRows, row += kRows * w.row_bytes) {
    _mm_storeu_ps(y + i, DotRows<Type>(row, w.row_bytes, x, w.cols, end));
  }
  for (; i < count; ++i, row += w.row_bytes) _mm_store_ss(y + i, DotRows<Type>(row, 0, x, w.cols, end));
}

HWY_POP_ATTRIBUTES

MatvecKernel FindMatvec(int type) {
  switch (type) {
    case kTypeQ4_0:
      return MatvecOf<Q4_0>;
    case kTypeQ4_1:
      return MatvecOf<Q4_1>;
    case kTypeQ5_0:
      return MatvecOf<Q5_0>;
    case kTypeQ5_1:
      return MatvecOf<Q5_1>;
    default:
      return nullptr;
  }
}

}  // namespace

MatvecKernel Avx2Matvec(int type) { return UsesAvx2() ? FindMatvec(type) : nullptr; }

}  // namespace ltri

#endif  // HWY_ARCH_X86
