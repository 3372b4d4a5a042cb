// Byte panels with AVX-512 VNNI: codes are unsigned bytes u, x signed bytes v, and VNNI adds u*v of four columns to
// each of 16 outputs. What a type subtracts from u (8 of Q4_0, 128 of Q8_0) is the sums' first value, since
// sum((u - zero) v) = sum(u v) - zero sum(v).
#include "hwy/base.h"

#if HWY_ARCH_X86

// GCC takes the undefined registers of its own headers for mistakes.
HWY_DIAGNOSTICS_OFF(disable : 4701, ignored "-Wmaybe-uninitialized")
HWY_DIAGNOSTICS_OFF(disable : 4703, ignored "-Wuninitialized")

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ops/cpu/byte_kernels.h"
#include "ops/cpu/instructions.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

constexpr int kLanes = 16;    // outputs of a register
constexpr int kGroups = 2;    // registers of outputs in a panel
constexpr int kSteps = 8;     // of four columns in a block
constexpr int64_t kRows = 6;  // of x whose sums the registers hold

using Codes = __m512i;

HWY_PUSH_ATTRIBUTES("avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma,f16c")

HWY_INLINE __m128i Load(const std::byte* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

HWY_INLINE Codes LoadFour(const std::byte* const* group, int j, int64_t at) {
  __m512i four = _mm512_castsi128_si512(Load(group[j] + at));
  four = _mm512_inserti32x4(four, Load(group[4 + j] + at), 1);
  four = _mm512_inserti32x4(four, Load(group[8 + j] + at), 2);
  return _mm512_inserti32x4(four, Load(group[12 + j] + at), 3);
}

HWY_INLINE void StoreCodes(const Codes (&v)[4], PanelBlock* block, int half, int group) {
  const __m512i ab_low = _mm512_unpacklo_epi32(v[0], v[1]);
  const __m512i ab_high = _mm512_unpackhi_epi32(v[0], v[1]);
  const __m512i cd_low = _mm512_unpacklo_epi32(v[2], v[3]);
  const __m512i cd_high = _mm512_unpackhi_epi32(v[2], v[3]);
  uint8_t(*steps)[kGroups][64] = block->codes + 4 * half;
  _mm512_store_si512(steps[0][group], _mm512_unpacklo_epi64(ab_low, cd_low));
  _mm512_store_si512(steps[1][group], _mm512_unpackhi_epi64(ab_low, cd_low));
  _mm512_store_si512(steps[2][group], _mm512_unpacklo_epi64(ab_high, cd_high));
  _mm512_store_si512(steps[3][group], _mm512_unpackhi_epi64(ab_high, cd_high));
}

HWY_INLINE Codes Or(Codes a, Codes b) { return _mm512_or_si512(a, b); }
HWY_INLINE Codes FlipTopBit(Codes c) { return _mm512_xor_si512(c, _mm512_set1_epi8(-128)); }
HWY_INLINE Codes Low(Codes c) { return _mm512_and_si512(c, _mm512_set1_epi8(15)); }
HWY_INLINE Codes High(Codes c) { return Low(_mm512_srli_epi16(c, 4)); }
HWY_INLINE Codes FifthBits(uint64_t bits) { return _mm512_maskz_set1_epi8(bits, 16); }

HWY_INLINE Codes TopBits(Codes c, int shift, char mask) {
  const __m512i bits = _mm512_srl_epi16(c, _mm_cvtsi32_si128(shift));
  return _mm512_slli_epi16(_mm512_and_si512(bits, _mm512_set1_epi8(mask)), 4);
}

float HalfAt(const std::byte* at) {
  uint16_t half = 0;
  std::memcpy(&half, at, sizeof(half));
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}

HWY_INLINE void StoreHalves(const RowsOfW& rows, int64_t at, float* to) {
  alignas(64) uint16_t halves[kBytePanelWidth];
  for (size_t r = 0; r < rows.size(); ++r) std::memcpy(&halves[r], rows[r] + at, sizeof(uint16_t));
  for (int g = 0; g < kGroups; ++g) {
    _mm512_store_ps(to + g * kLanes,
                    _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(halves + g * kLanes))));
  }
}

#include "ops/cpu/byte_formats-inl.h"

HWY_INLINE __m512i FourColumns(const RoundedBlock& x, int step) {
  int32_t four = 0;
  std::memcpy(&four, x.values + 4 * step, sizeof(four));
  return _mm512_set1_epi32(four);
}

// sums += kCount rows of x times a block of the panel.
template <typename Type, int kCount>
HWY_INLINE void AddBlock(const RoundedBlock* x, int64_t x_stride, const PanelBlock& block,
                         __m512 (&sums)[kCount][kGroups]) {
  constexpr int kPart = kSteps / Type::kHalves;
#pragma GCC unroll 2
  for (int half = 0; half < Type::kHalves; ++half) {
    __m512i dots[kCount][kGroups];
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i) {
      __m512i start = _mm512_setzero_si512();
      if constexpr (Type::kZeroBits >= 0) {
        const int32_t negative = x[i * x_stride].negative_of[Type::kHalves == 1 ? 2 : half];
        start = _mm512_slli_epi32(_mm512_set1_epi32(negative), Type::kZeroBits);
      }
      for (auto& dot : dots[i]) dot = start;
    }
#pragma GCC unroll 8
    for (int step = half * kPart; step < (half + 1) * kPart; ++step) {
      const __m512i w0 = _mm512_load_si512(block.codes[step][0]);
      const __m512i w1 = _mm512_load_si512(block.codes[step][1]);
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i) {
        const __m512i v = FourColumns(x[i * x_stride], step);
        dots[i][0] = _mm512_dpbusd_epi32(dots[i][0], w0, v);
        dots[i][1] = _mm512_dpbusd_epi32(dots[i][1], w1, v);
      }
    }
#pragma GCC unroll 2
    for (int g = 0; g < kGroups; ++g) {
      const __m512 scale = _mm512_load_ps(block.scales[half][g]);
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i) {
        const __m512 both = _mm512_mul_ps(scale, _mm512_set1_ps(x[i * x_stride].scale));
        sums[i][g] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[i][g]), both, sums[i][g]);
      }
    }
  }
  if constexpr (Type::kHasMinimum) {
#pragma GCC unroll 2
    for (int g = 0; g < kGroups; ++g) {
      const __m512 minimum = _mm512_load_ps(block.minima[g]);
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i) {
        sums[i][g] = _mm512_fmadd_ps(minimum, _mm512_set1_ps(x[i * x_stride].sum), sums[i][g]);
      }
    }
  }
}

template <typename Type, int kCount>
void MultiplyStrip(const RoundedBlock* x, const Strip& strip, float* y, int64_t y_stride) {
  __m512 sums[kCount][kGroups] = {};
  for (int64_t b = 0; b < strip.blocks; ++b) AddBlock<Type, kCount>(x + b, strip.blocks, strip.panel[b], sums);
  const uint64_t wanted = (uint64_t{1} << strip.outputs) - 1;
  for (int g = 0; g < kGroups; ++g) {
    const auto mask = static_cast<__mmask16>(wanted >> (g * kLanes));
    const __m512 bias =
        strip.bias != nullptr ? _mm512_maskz_loadu_ps(mask, strip.bias + g * kLanes) : _mm512_setzero_ps();
    for (int i = 0; i < kCount; ++i) {
      _mm512_mask_storeu_ps(y + i * y_stride + g * kLanes, mask, _mm512_add_ps(sums[i][g], bias));
    }
  }
}

HWY_POP_ATTRIBUTES

}  // namespace

const ByteKernels* Avx512ByteKernels(int type) { return UsesAvx512Vnni() ? FindKernels(type) : nullptr; }

}  // namespace ltri

#endif  // HWY_ARCH_X86
