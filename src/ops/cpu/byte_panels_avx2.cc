// Byte panels with AVX2: the sums of two products u v of an unsigned code and a signed byte fit 16 bits, and so do
// those of several steps where codes have few bits. Codes of 8 bits are taken as two of 4.
#include "hwy/base.h"

#if HWY_ARCH_X86

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ops/cpu/byte_kernels.h"
#include "ops/cpu/instructions.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

constexpr int kLanes = 16;    // outputs of a group
constexpr int kGroups = 2;    // groups of a panel
constexpr int kSteps = 8;     // of four columns in a block
constexpr int64_t kRows = 4;  // of x whose sums the registers hold
constexpr int kWidth = 8;     // outputs of a register

struct Codes {
  __m256i low;  // outputs 0 .. 7 of the group
  __m256i high;
};

HWY_PUSH_ATTRIBUTES("avx2,fma,f16c")

HWY_INLINE __m256i LoadTwo(const std::byte* first, const std::byte* second) {
  return _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(second), reinterpret_cast<const __m128i*>(first));
}

HWY_INLINE Codes LoadFour(const std::byte* const* group, int j, int64_t at) {
  return {LoadTwo(group[j] + at, group[4 + j] + at), LoadTwo(group[8 + j] + at, group[12 + j] + at)};
}

HWY_INLINE Codes Or(Codes a, Codes b) { return {_mm256_or_si256(a.low, b.low), _mm256_or_si256(a.high, b.high)}; }

HWY_INLINE Codes FlipTopBit(Codes c) {
  const __m256i top = _mm256_set1_epi8(-128);
  return {_mm256_xor_si256(c.low, top), _mm256_xor_si256(c.high, top)};
}

HWY_INLINE __m256i Low(__m256i c) { return _mm256_and_si256(c, _mm256_set1_epi8(15)); }
HWY_INLINE __m256i High(__m256i c) { return Low(_mm256_srli_epi16(c, 4)); }
HWY_INLINE Codes Low(Codes c) { return {Low(c.low), Low(c.high)}; }
HWY_INLINE Codes High(Codes c) { return {High(c.low), High(c.high)}; }

HWY_INLINE __m256i TopBits(__m256i c, int shift, char mask) {
  const __m256i bits = _mm256_srl_epi16(c, _mm_cvtsi32_si128(shift));
  return _mm256_slli_epi16(_mm256_and_si256(bits, _mm256_set1_epi8(mask)), 4);
}
HWY_INLINE Codes TopBits(Codes c, int shift, char mask) {
  return {TopBits(c.low, shift, mask), TopBits(c.high, shift, mask)};
}

// Of two outputs.
HWY_INLINE __m256i FifthBitsOfTwo(uint32_t bits) {
  const __m256i bytes = _mm256_shuffle_epi8(
      _mm256_set1_epi32(static_cast<int>(bits)),
      _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3));
  const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201U));
  return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit), _mm256_set1_epi8(16));
}
HWY_INLINE Codes FifthBits(uint64_t bits) {
  return {FifthBitsOfTwo(static_cast<uint32_t>(bits)), FifthBitsOfTwo(static_cast<uint32_t>(bits >> 32U))};
}

HWY_INLINE void Store(uint8_t* to, __m256i v) { _mm256_store_si256(reinterpret_cast<__m256i*>(to), v); }

HWY_INLINE void StoreFour(__m256i a, __m256i b, __m256i c, __m256i d, uint8_t (*steps)[kGroups][64], int group,
                          int at) {
  const __m256i ab_low = _mm256_unpacklo_epi32(a, b);
  const __m256i ab_high = _mm256_unpackhi_epi32(a, b);
  const __m256i cd_low = _mm256_unpacklo_epi32(c, d);
  const __m256i cd_high = _mm256_unpackhi_epi32(c, d);
  Store(steps[0][group] + at, _mm256_unpacklo_epi64(ab_low, cd_low));
  Store(steps[1][group] + at, _mm256_unpackhi_epi64(ab_low, cd_low));
  Store(steps[2][group] + at, _mm256_unpacklo_epi64(ab_high, cd_high));
  Store(steps[3][group] + at, _mm256_unpackhi_epi64(ab_high, cd_high));
}

HWY_INLINE void StoreCodes(const Codes (&v)[4], PanelBlock* block, int half, int group) {
  StoreFour(v[0].low, v[1].low, v[2].low, v[3].low, block->codes + 4 * half, group, 0);
  StoreFour(v[0].high, v[1].high, v[2].high, v[3].high, block->codes + 4 * half, group, 32);
}

float HalfAt(const std::byte* at) {
  uint16_t half = 0;
  std::memcpy(&half, at, sizeof(half));
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}

HWY_INLINE void StoreHalves(const RowsOfW& rows, int64_t at, float* to) {
  alignas(64) uint16_t halves[kBytePanelWidth];
  for (size_t r = 0; r < rows.size(); ++r) std::memcpy(&halves[r], rows[r] + at, sizeof(uint16_t));
  for (int i = 0; i < kBytePanelWidth; i += kWidth) {
    _mm256_store_ps(to + i, _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(halves + i))));
  }
}

#include "ops/cpu/byte_formats-inl.h"

HWY_INLINE __m256i FourColumns(const RoundedBlock& x, int step) {
  int32_t four = 0;
  std::memcpy(&four, x.values + 4 * step, sizeof(four));
  return _mm256_set1_epi32(four);
}

// The products of two columns, summed: 8 outputs by two sums of 16 bits.
HWY_INLINE void AddPairs(__m256i codes, __m256i x, __m256i* sums) {
  *sums = _mm256_add_epi16(*sums, _mm256_maddubs_epi16(codes, x));
  // Or else GCC adds in another order, for which it takes all products first and keeps them in memory.
  asm("" : "+x"(*sums));
}

// Steps whose sums of two products of codes below 2^bits with bytes fit 16 bits.
constexpr int SafeSteps(int bits) { return bits == 4 ? 8 : bits == 5 ? 4 : 2; }
static_assert(8 * 2 * 15 * 127 < 32768 && 4 * 2 * 31 * 127 < 32768 && 2 * 2 * 63 * 127 < 32768);

// dots += the steps from `begin` on that a scale holds for; kCount rows of x, kVectors x 8 outputs from `codes` on.
template <typename Type, int kCount, int kVectors>
HWY_INLINE void AddSteps(const RoundedBlock* x, int64_t x_stride, const uint8_t* codes, int begin,
                         __m256i (&dots)[kCount][kVectors]) {
  constexpr int kSafe = SafeSteps(Type::kBits);
  const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
  for (int part = 0; part < kSteps / Type::kHalves / kSafe; ++part) {
    __m256i pairs[kCount][kVectors] = {};
#pragma GCC unroll 8
    for (int s = 0; s < kSafe; ++s) {
      const int step = begin + part * kSafe + s;
      __m256i w[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        w[v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes + 64 * kGroups * step + 32 * v));
      }
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) {
        const __m256i four = FourColumns(x[i * x_stride], step);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) AddPairs(w[v], four, &pairs[i][v]);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        dots[i][v] = _mm256_add_epi32(dots[i][v], _mm256_madd_epi16(pairs[i][v], ones));
      }
    }
  }
}

// The same for codes of 8 bits, 8 outputs: their low and their high halves, these 16 times.
template <int kCount>
HWY_INLINE void AddStepsOfBytes(const RoundedBlock* x, int64_t x_stride, const uint8_t* codes,
                                __m256i (&dots)[kCount][1]) {
  __m256i low[kCount] = {};
  __m256i high[kCount] = {};
#pragma GCC unroll 8
  for (int step = 0; step < kSteps; ++step) {
    const __m256i w = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes + 64 * kGroups * step));
    const __m256i w_low = Low(w);
    const __m256i w_high = High(w);
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i) {
      const __m256i four = FourColumns(x[i * x_stride], step);
      AddPairs(w_low, four, &low[i]);
      AddPairs(w_high, four, &high[i]);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) {
    const __m256i both = _mm256_add_epi32(_mm256_madd_epi16(low[i], _mm256_set1_epi16(1)),
                                          _mm256_madd_epi16(high[i], _mm256_set1_epi16(16)));
    dots[i][0] = _mm256_add_epi32(dots[i][0], both);
  }
}

// sums += kCount rows of x times kVectors x 8 outputs of a block of the panel, from output `first` on.
template <typename Type, int kCount, int kVectors>
HWY_INLINE void AddBlock(const RoundedBlock* x, int64_t x_stride, const PanelBlock& block, int first,
                         __m256 (&sums)[kCount][kVectors]) {
  const uint8_t* codes = block.codes[0][0] + 4 * first;
#pragma GCC unroll 2
  for (int half = 0; half < Type::kHalves; ++half) {
    __m256i dots[kCount][kVectors];
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i) {
      __m256i start = _mm256_setzero_si256();
      if constexpr (Type::kZeroBits >= 0) {
        const int32_t negative = x[i * x_stride].negative_of[Type::kHalves == 1 ? 2 : half];
        start = _mm256_slli_epi32(_mm256_set1_epi32(negative), Type::kZeroBits);
      }
      for (auto& dot : dots[i]) dot = start;
    }
    if constexpr (Type::kBits == 8) {
      AddStepsOfBytes<kCount>(x, x_stride, codes, dots);
    } else {
      AddSteps<Type, kCount, kVectors>(x, x_stride, codes, half * (kSteps / Type::kHalves), dots);
    }
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const __m256 scale = _mm256_load_ps(block.scales[half][0] + first + kWidth * v);
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) {
        const __m256 both = _mm256_mul_ps(scale, _mm256_set1_ps(x[i * x_stride].scale));
        sums[i][v] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[i][v]), both, sums[i][v]);
      }
    }
  }
  if constexpr (Type::kHasMinimum) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const __m256 minimum = _mm256_load_ps(block.minima[0] + first + kWidth * v);
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) {
        sums[i][v] = _mm256_fmadd_ps(minimum, _mm256_set1_ps(x[i * x_stride].sum), sums[i][v]);
      }
    }
  }
}

template <typename Type, int kCount>
void MultiplyStrip(const RoundedBlock* x, const Strip& strip, float* y, int64_t y_stride) {
  constexpr int kVectors = Type::kBits == 8 ? 1 : 2;
  for (int first = 0; first < strip.outputs; first += kVectors * kWidth) {
    __m256 sums[kCount][kVectors] = {};
    for (int64_t b = 0; b < strip.blocks; ++b) {
      AddBlock<Type, kCount, kVectors>(x + b, strip.blocks, strip.panel[b], first, sums);
    }
    for (int v = 0; v < kVectors; ++v) {
      const int output = first + v * kWidth;
      const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
      const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(strip.outputs) - output), lanes);
      const __m256 bias = strip.bias != nullptr ? _mm256_maskload_ps(strip.bias + output, mask) : _mm256_setzero_ps();
      for (int i = 0; i < kCount; ++i) {
        _mm256_maskstore_ps(y + i * y_stride + output, mask, _mm256_add_ps(sums[i][v], bias));
      }
    }
  }
}

HWY_POP_ATTRIBUTES

}  // namespace

const ByteKernels* Avx2ByteKernels(int type) { return UsesAvx2() ? FindKernels(type) : nullptr; }

}  // namespace ltri

#endif  // HWY_ARCH_X86
