// Products with single vectors on AVX-512 with VNNI and VBMI: two blocks of 32 weights fill one register.
//
// Weights are used as unsigned bytes u, the vector as signed bytes v, and VNNI sums u*v four at a time. What a type
// subtracts from u (8 of Q4_0, 128 of Q8_0) is the sums' first value, since sum((u - c) v) = sum(u v) - c sum(v).
#include "hwy/base.h"

#if HWY_ARCH_X86

// GCC takes the undefined registers of its own headers for mistakes.
HWY_DIAGNOSTICS_OFF(disable : 4701, ignored "-Wmaybe-uninitialized")
HWY_DIAGNOSTICS_OFF(disable : 4703, ignored "-Wuninitialized")

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ops/cpu/instructions.h"
#include "ops/cpu/matvec_kernels.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

// Memory is asked for this far ahead: by itself the hardware stops at the end of a page of 4 KB.
constexpr int64_t kAhead = 8192;

struct alignas(64) Bytes64 {
  uint8_t at[64];
};
struct alignas(64) Words32 {
  uint16_t at[32];
};

// Where the 4-bit codes of two blocks go: each block's 16 bytes twice, first for the low, then for the high halves.
constexpr Bytes64 CodeOrder(int first, int block_bytes) {
  Bytes64 order{};
  for (int i = 0; i < 64; ++i) order.at[i] = static_cast<uint8_t>(first + i / 32 * block_bytes + i % 16);
  return order;
}

// The 16-bit words `low` (of both blocks, 8 times each), then `high` likewise; `stride` is a block's length in words.
constexpr Words32 ScaleOrder(int low, int high, int stride) {
  Words32 order{};
  for (int i = 0; i < 32; ++i) order.at[i] = static_cast<uint16_t>((i < 16 ? low : high) + i / 8 % 2 * stride);
  return order;
}

// Which blocks a register takes: two with two more of the row behind them, the last pair, the last one.
enum class Take { kTwo, kLastTwo, kLastOne };

HWY_PUSH_ATTRIBUTES("avx512f,avx512vl,avx512dq,avx512bw,avx512vbmi,avx512vnni,avx2,fma,f16c")

// `bytes` or more from `at`. Behind the row's end nothing is touched; elsewhere a plain load is faster: a masked one is
// slow on some CPUs when it crosses into a page that they have not looked up yet.
template <Take kTake>
HWY_INLINE __m512i LoadBytes(const std::byte* at, int bytes) {
  if constexpr (kTake == Take::kTwo) return _mm512_loadu_si512(at);
  return _mm512_maskz_loadu_epi8((__mmask64{1} << bytes) - 1, at);
}

// Codes of two blocks as bytes, and the blocks' scales and minima as 16-bit floats (8 times each).
struct Codes {
  __m512i values;
  __m512i scales;
};

template <typename Format>
HWY_INLINE Codes UnpackNibbles(__m512i raw) {
  static constexpr Bytes64 kCodes = CodeOrder(Format::kCodesAt, Format::kBytes);
  static constexpr Words32 kScales = ScaleOrder(0, Format::kHasMinimum ? 1 : 0, Format::kBytes / 2);
  const __m512i twice = _mm512_permutexvar_epi8(_mm512_load_si512(&kCodes), raw);
  const __m512i shift =
      _mm512_set_epi64(0x0004000400040004, 0x0004000400040004, 0, 0, 0x0004000400040004, 0x0004000400040004, 0, 0);
  const __m512i values = _mm512_and_si512(_mm512_srlv_epi16(twice, shift), _mm512_set1_epi8(15));
  return {values, _mm512_permutexvar_epi16(_mm512_load_si512(&kScales), raw)};
}

// A fifth bit for each code, 32 bits a block behind the scales.
template <typename Format>
HWY_INLINE Codes AddFifthBit(Codes codes, const std::byte* at, bool two) {
  uint32_t low = 0;
  uint32_t high = 0;
  std::memcpy(&low, at + Format::kCodesAt - 4, 4);
  if (two) std::memcpy(&high, at + Format::kBytes + Format::kCodesAt - 4, 4);
  const auto mask = static_cast<__mmask64>(low | static_cast<uint64_t>(high) << 32U);
  codes.values = _mm512_mask_add_epi8(codes.values, mask, codes.values, _mm512_set1_epi8(16));
  return codes;
}

struct Q4_0 {
  static constexpr int kBytes = 18;
  static constexpr int kRows = 4;
  static constexpr int kCodesAt = 2;
  static constexpr int kOffsetBits = 3;  // the code of zero is 2 to this
  static constexpr bool kHasMinimum = false;
  template <Take kTake>
  static HWY_INLINE Codes Load(const std::byte* at) {
    return UnpackNibbles<Q4_0>(LoadBytes<kTake>(at, kTake == Take::kLastOne ? kBytes : 2 * kBytes));
  }
};

struct Q4_1 {
  static constexpr int kBytes = 20;
  static constexpr int kRows = 4;
  static constexpr int kCodesAt = 4;
  static constexpr int kOffsetBits = -1;
  static constexpr bool kHasMinimum = true;
  template <Take kTake>
  static HWY_INLINE Codes Load(const std::byte* at) {
    return UnpackNibbles<Q4_1>(LoadBytes<kTake>(at, kTake == Take::kLastOne ? kBytes : 2 * kBytes));
  }
};

struct Q5_0 {
  static constexpr int kBytes = 22;
  static constexpr int kRows = 4;
  static constexpr int kCodesAt = 6;
  static constexpr int kOffsetBits = 4;
  static constexpr bool kHasMinimum = false;
  template <Take kTake>
  static HWY_INLINE Codes Load(const std::byte* at) {
    const __m512i raw = LoadBytes<kTake>(at, kTake == Take::kLastOne ? kBytes : 2 * kBytes);
    return AddFifthBit<Q5_0>(UnpackNibbles<Q5_0>(raw), at, kTake != Take::kLastOne);
  }
};

struct Q5_1 {
  static constexpr int kBytes = 24;
  static constexpr int kRows = 4;
  static constexpr int kCodesAt = 8;
  static constexpr int kOffsetBits = -1;
  static constexpr bool kHasMinimum = true;
  template <Take kTake>
  static HWY_INLINE Codes Load(const std::byte* at) {
    const __m512i raw = LoadBytes<kTake>(at, kTake == Take::kLastOne ? kBytes : 2 * kBytes);
    return AddFifthBit<Q5_1>(UnpackNibbles<Q5_1>(raw), at, kTake != Take::kLastOne);
  }
};

struct Q8_0 {
  static constexpr int kBytes = 34;
  static constexpr int kRows = 1;
  static constexpr int kOffsetBits = 7;
  static constexpr bool kHasMinimum = false;
  template <Take kTake>
  static HWY_INLINE Codes Load(const std::byte* at) {
    static constexpr Words32 kScales = ScaleOrder(0, 0, kBytes / 2);
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 2));
    __m512i values = _mm512_zextsi256_si512(low);
    if constexpr (kTake != Take::kLastOne) {
      const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + kBytes + 2));
      values = _mm512_inserti64x4(values, high, 1);
    }
    const __m512i raw = LoadBytes<kTake>(at, kTake == Take::kLastOne ? 2 : kBytes + 2);
    return {_mm512_xor_si512(values, _mm512_set1_epi8(-128)),
            _mm512_permutexvar_epi16(_mm512_load_si512(&kScales), raw)};
  }
};

HWY_INLINE __m512 LowScales(__m512i scales) { return _mm512_cvtph_ps(_mm512_castsi512_si256(scales)); }
HWY_INLINE __m512 HighScales(__m512i scales) { return _mm512_cvtph_ps(_mm512_extracti64x4_epi64(scales, 1)); }

// sums[r] += what the blocks at `at` of row r and the part of the vector give.
template <typename Format, Take kTake>
HWY_INLINE void AddPart(const std::byte* at, int64_t row_bytes, const VectorPart& part, __m512* sums) {
  const __m512i vector = _mm512_load_si512(part.values);
  const __m512i negative = _mm512_load_si512(part.negative_sums);
  const __m512 scale = _mm512_load_ps(part.scales);
  __m512i start = _mm512_setzero_si512();
  __m512 minus = _mm512_setzero_ps();
  if constexpr (Format::kHasMinimum) {
    minus = _mm512_mul_ps(scale, _mm512_cvtepi32_ps(negative));
  } else {
    start = _mm512_slli_epi32(negative, Format::kOffsetBits);
  }
  for (int r = 0; r < Format::kRows; ++r) {
    const Codes codes = Format::template Load<kTake>(at + r * row_bytes);
    const __m512 dots = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(start, codes.values, vector));
    sums[r] = _mm512_fmadd_ps(dots, _mm512_mul_ps(LowScales(codes.scales), scale), sums[r]);
    if constexpr (Format::kHasMinimum) sums[r] = _mm512_fnmadd_ps(HighScales(codes.scales), minus, sums[r]);
  }
}

// The four vectors' sums of lanes.
HWY_INLINE __m128 SumsOfLanes(const __m512* v) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
  const __m512d abd = _mm512_castps_pd(ab);
  const __m512d cdd = _mm512_castps_pd(cd);
  const __m512 all =
      _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(abd, cdd)), _mm512_castpd_ps(_mm512_unpackhi_pd(abd, cdd)));
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

// sums[r] = lanes whose sum is row r of Format::kRows rows, times x.
template <typename Format>
HWY_INLINE void DotRows(const std::byte* at, int64_t row_bytes, const VectorPart* x, int64_t cols, const std::byte* end,
                        __m512* sums) {
  constexpr int64_t kPartBytes = 2 * Format::kBytes;
  for (int r = 0; r < Format::kRows; ++r) sums[r] = _mm512_setzero_ps();
  const std::byte* ahead = at + kAhead < end ? at + kAhead : at;  // behind the end is another thread's share
  const int64_t parts = VectorParts(cols);
  const bool odd = cols % 64 != 0;
  // One block behind two of them does not fill a register either.
  for (int64_t plain = parts - (odd ? 2 : 1); plain > 0; --plain, ++x, at += kPartBytes) {
    for (int64_t i = 0; i < Format::kRows * kPartBytes; i += 64) _mm_prefetch(ahead + i, _MM_HINT_T0);
    ahead += Format::kRows * kPartBytes;
    AddPart<Format, Take::kTwo>(at, row_bytes, *x, sums);
  }
  if (!odd || parts > 1) {
    AddPart<Format, Take::kLastTwo>(at, row_bytes, *x, sums);
    ++x;
    at += kPartBytes;
  }
  if (odd) AddPart<Format, Take::kLastOne>(at, row_bytes, *x, sums);
}

template <typename Format>
void MatvecOf(const Matrix& w, int64_t first, int64_t count, const VectorPart* x, float* y) {
  const std::byte* row = w.data + first * w.row_bytes;
  const std::byte* end = row + count * w.row_bytes;
  int64_t i = 0;
  for (; i + 4 <= count; i += 4, row += 4 * w.row_bytes) {
    __m512 sums[4];
    for (int r = 0; r < 4; r += Format::kRows) {
      DotRows<Format>(row + r * w.row_bytes, w.row_bytes, x, w.cols, end, sums + r);
    }
    _mm_storeu_ps(y + i, SumsOfLanes(sums));
  }
  for (; i < count; ++i, row += w.row_bytes) {
    __m512 sums[4] = {};
    DotRows<Format>(row, 0, x, w.cols, end, sums);  // the same row several times
    _mm_store_ss(y + i, SumsOfLanes(sums));
  }
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
    case kTypeQ8_0:
      return MatvecOf<Q8_0>;
    default:
      return nullptr;
  }
}

bool HasVbmi() {
  static const bool has = __builtin_cpu_supports("avx512vbmi") != 0;
  return has;
}

}  // namespace

MatvecKernel Avx512Matvec(int type) { return UsesAvx512Vnni() && HasVbmi() ? FindMatvec(type) : nullptr; }

}  // namespace ltri

#endif  // HWY_ARCH_X86
