// byte_panels.h for AVX-512 VNNI: codes are unsigned bytes u, x signed bytes v, and VNNI adds u*v of four columns to
// each of 16 outputs. What a type subtracts from u (8 of Q4_0, 128 of Q8_0) is the sums' first value, since
// sum((u - zero) v) = sum(u v) - zero sum(v).
#include "hwy/base.h"

#if HWY_ARCH_X86

// GCC takes the undefined registers of its own headers for mistakes.
HWY_DIAGNOSTICS_OFF(disable : 4701, ignored "-Wmaybe-uninitialized")
HWY_DIAGNOSTICS_OFF(disable : 4703, ignored "-Wuninitialized")

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "ops/cpu/byte_panels.h"
#include "ops/cpu/panels.h"
#include "weights/ggml_types.h"

namespace ltri {
namespace {

constexpr int kLanes = 16;    // outputs of a register
constexpr int kGroups = 2;    // registers of outputs in a panel
constexpr int kSteps = 8;     // of four columns in a block
constexpr int64_t kRows = 6;  // of x whose sums the registers hold

// Where each output of a panel begins, at the current block of W.
using RowsOfW = std::array<const std::byte*, kBytePanelWidth>;

HWY_PUSH_ATTRIBUTES("avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma,f16c")

HWY_INLINE __m128i Load(const std::byte* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

// 16 bytes at `at` of the outputs 4 l + j of a group, l = 0 .. 3.
HWY_INLINE __m512i LoadFour(const std::byte* const* group, int j, int64_t at) {
  __m512i four = _mm512_castsi128_si512(Load(group[j] + at));
  four = _mm512_inserti32x4(four, Load(group[4 + j] + at), 1);
  four = _mm512_inserti32x4(four, Load(group[8 + j] + at), 2);
  return _mm512_inserti32x4(four, Load(group[12 + j] + at), 3);
}

// Codes of 16 columns, as LoadFour has them for j = 0 .. 3, become those of four columns a register.
HWY_INLINE void StoreCodes(const __m512i (&v)[4], PanelBlock* block, int half, int group) {
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

HWY_INLINE __m512i Low(__m512i bytes) { return _mm512_and_si512(bytes, _mm512_set1_epi8(15)); }
HWY_INLINE __m512i High(__m512i bytes) { return Low(_mm512_srli_epi16(bytes, 4)); }

// Bits [shift, shift + log2(mask + 1)) of each byte, as the bits from the fifth on.
HWY_INLINE __m512i TopBits(__m512i bytes, int shift, char mask) {
  const __m512i bits = _mm512_srl_epi16(bytes, _mm_cvtsi32_si128(shift));
  return _mm512_slli_epi16(_mm512_and_si512(bits, _mm512_set1_epi8(mask)), 4);
}

float HalfAt(const std::byte* at) {
  uint16_t half = 0;
  std::memcpy(&half, at, sizeof(half));
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}

// The 16-bit floats at `at` of all outputs.
HWY_INLINE void StoreHalves(const RowsOfW& rows, int64_t at, float* to) {
  alignas(64) uint16_t halves[kBytePanelWidth];
  for (size_t r = 0; r < rows.size(); ++r) std::memcpy(&halves[r], rows[r] + at, sizeof(uint16_t));
  for (int g = 0; g < kGroups; ++g) {
    _mm512_store_ps(to + g * kLanes,
                    _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(halves + g * kLanes))));
  }
}

// Of a type: how its weights become blocks of a panel, and what the product has to know.

// 32 weights: a scale, perhaps a minimum, perhaps a fifth bit of each, 16 bytes of 4 bits: low halves first.
template <int kBlockBytes, int kZeroBitsOrNone, bool kFifth>
struct Nibbles {
  static constexpr int64_t kBytes = kBlockBytes;
  static constexpr int64_t kBlocks = 1;  // panel blocks of a block
  static constexpr int kZeroBits = kZeroBitsOrNone;
  static constexpr bool kHasMinimum = kZeroBits < 0;
  static constexpr int kHalves = 1;

  static HWY_INLINE void Unpack(const RowsOfW& rows, PanelBlock* to) {
    for (int g = 0; g < kGroups; ++g) {
      const std::byte* const* group = rows.data() + g * kLanes;
      __m512i low[4];
      __m512i high[4];
      for (int j = 0; j < 4; ++j) {
        const __m512i raw = LoadFour(group, j, kBytes - 16);
        low[j] = Low(raw);
        high[j] = High(raw);
        if constexpr (kFifth) AddFifth(group, j, &low[j], &high[j]);
      }
      StoreCodes(low, to, 0, g);
      StoreCodes(high, to, 1, g);
    }
    StoreHalves(rows, 0, to->scales[0][0]);
    if constexpr (kHasMinimum) StoreHalves(rows, 2, to->minima[0]);
  }

  static HWY_INLINE void AddFifth(const std::byte* const* group, int j, __m512i* low, __m512i* high) {
    uint64_t low_bits = 0;
    uint64_t high_bits = 0;
    for (int l = 3; l >= 0; --l) {
      uint32_t bits = 0;
      std::memcpy(&bits, group[4 * l + j] + kBytes - 20, sizeof(bits));
      low_bits = low_bits << 16U | (bits & 0xFFFFU);
      high_bits = high_bits << 16U | bits >> 16U;
    }
    const __m512i sixteen = _mm512_set1_epi8(16);
    *low = _mm512_mask_add_epi8(*low, low_bits, *low, sixteen);
    *high = _mm512_mask_add_epi8(*high, high_bits, *high, sixteen);
  }
};

using Q4_0 = Nibbles<18, 3, false>;
using Q4_1 = Nibbles<20, -1, false>;
using Q5_0 = Nibbles<22, 4, true>;
using Q5_1 = Nibbles<24, -1, true>;

struct Q8_0 {
  static constexpr int64_t kBytes = 34;
  static constexpr int64_t kBlocks = 1;
  static constexpr int kZeroBits = 7;
  static constexpr bool kHasMinimum = false;
  static constexpr int kHalves = 1;

  static HWY_INLINE void Unpack(const RowsOfW& rows, PanelBlock* to) {
    for (int g = 0; g < kGroups; ++g) {
      for (int half = 0; half < 2; ++half) {
        __m512i codes[4];
        for (int j = 0; j < 4; ++j) {
          const __m512i raw = LoadFour(rows.data() + g * kLanes, j, 2 + 16 * half);
          codes[j] = _mm512_xor_si512(raw, _mm512_set1_epi8(-128));
        }
        StoreCodes(codes, to, half, g);
      }
    }
    StoreHalves(rows, 0, to->scales[0][0]);
  }
};

// 256 weights: scale and minimum of the 8 blocks' scales and minima, these in 6 bits each, perhaps a fifth bit of each
// weight, 128 bytes of 4 bits: two blocks in 32 bytes, low halves first.
template <bool kFifth>
struct SuperNibbles {
  static constexpr int64_t kBytes = kFifth ? 176 : 144;
  static constexpr int64_t kBlocks = 8;
  static constexpr int kZeroBits = -1;
  static constexpr bool kHasMinimum = true;
  static constexpr int kHalves = 1;

  static HWY_INLINE void Unpack(const RowsOfW& rows, PanelBlock* to) {
    for (int g = 0; g < kGroups; ++g) {
      const std::byte* const* group = rows.data() + g * kLanes;
      for (int pair = 0; pair < 4; ++pair) {
        for (int half = 0; half < 2; ++half) UnpackPair(group, g, pair, half, to + 2 * pair);
      }
    }
    for (size_t r = 0; r < rows.size(); ++r) UnpackScales(rows[r], r, to);
  }

  static HWY_INLINE void UnpackPair(const std::byte* const* group, int g, int pair, int half, PanelBlock* to) {
    __m512i low[4];
    __m512i high[4];
    for (int j = 0; j < 4; ++j) {
      const __m512i raw = LoadFour(group, j, kBytes - 128 + 32 * pair + 16 * half);
      low[j] = Low(raw);
      high[j] = High(raw);
      if constexpr (kFifth) {
        const __m512i bits = LoadFour(group, j, 16 + 16 * half);
        low[j] = _mm512_or_si512(low[j], TopBits(bits, 2 * pair, 1));
        high[j] = _mm512_or_si512(high[j], TopBits(bits, 2 * pair + 1, 1));
      }
    }
    StoreCodes(low, to, half, g);
    StoreCodes(high, to + 1, half, g);
  }

  static void UnpackScales(const std::byte* at, size_t output, PanelBlock* to) {
    const float scale = HalfAt(at);
    const float minimum = HalfAt(at + 2);
    uint8_t packed[12];
    std::memcpy(packed, at + 4, sizeof(packed));
    for (size_t b = 0; b < 8; ++b) {
      int s = packed[b % 4] & 63;
      int m = packed[b % 4 + 4] & 63;
      if (b >= 4) {
        s = (packed[b + 4] & 15) | packed[b - 4] >> 6 << 4;
        m = packed[b + 4] >> 4 | packed[b] >> 6 << 4;
      }
      to[b].scales[0][output / kLanes][output % kLanes] = scale * static_cast<float>(s);
      to[b].minima[output / kLanes][output % kLanes] = -minimum * static_cast<float>(m);
    }
  }
};

using Q4K = SuperNibbles<false>;
using Q5K = SuperNibbles<true>;

// 256 weights: low 4 bits [2][64], high 2 bits [2][32], 16 scales of 8 bits, their scale. A scale holds for 16 weights.
struct Q6K {
  static constexpr int64_t kBytes = 210;
  static constexpr int64_t kBlocks = 8;
  static constexpr int kZeroBits = 5;
  static constexpr bool kHasMinimum = false;
  static constexpr int kHalves = 2;

  static HWY_INLINE void Unpack(const RowsOfW& rows, PanelBlock* to) {
    for (int g = 0; g < kGroups; ++g) {
      for (int part = 0; part < 2; ++part) {
        for (int half = 0; half < 2; ++half) UnpackPart(rows.data() + g * kLanes, g, part, half, to + 4 * part);
      }
    }
    for (size_t r = 0; r < rows.size(); ++r) {
      const float scale = HalfAt(rows[r] + 208);
      int8_t scales[16];
      std::memcpy(scales, rows[r] + 192, sizeof(scales));
      for (size_t i = 0; i < 16; ++i) {
        to[i / 2].scales[i % 2][r / kLanes][r % kLanes] = scale * static_cast<float>(scales[i]);
      }
    }
  }

  // 16 columns each of four blocks.
  static HWY_INLINE void UnpackPart(const std::byte* const* group, int g, int part, int half, PanelBlock* to) {
    __m512i codes[4][4];
    for (int j = 0; j < 4; ++j) {
      const __m512i first = LoadFour(group, j, 64 * part + 16 * half);
      const __m512i second = LoadFour(group, j, 64 * part + 32 + 16 * half);
      const __m512i bits = LoadFour(group, j, 128 + 32 * part + 16 * half);
      codes[0][j] = _mm512_or_si512(Low(first), TopBits(bits, 0, 3));
      codes[1][j] = _mm512_or_si512(Low(second), TopBits(bits, 2, 3));
      codes[2][j] = _mm512_or_si512(High(first), TopBits(bits, 4, 3));
      codes[3][j] = _mm512_or_si512(High(second), TopBits(bits, 6, 3));
    }
    for (int quarter = 0; quarter < 4; ++quarter) StoreCodes(codes[quarter], to + quarter, half, g);
  }
};

template <typename Type>
void MakePanel(const Matrix& w, int64_t first, PanelBlock* panel) {
  RowsOfW rows;
  for (size_t r = 0; r < rows.size(); ++r) {
    rows[r] = w.data + std::min(first + static_cast<int64_t>(r), w.rows - 1) * w.row_bytes;
  }
  for (int64_t done = 0; done < w.row_bytes; done += Type::kBytes, panel += Type::kBlocks) {
    Type::Unpack(rows, panel);
    for (const std::byte*& row : rows) row += Type::kBytes;
  }
}

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

// What the rows of x share.
struct Strip {
  int64_t blocks;
  const PanelBlock* panel;
  const float* bias;
  int64_t outputs;
};

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

template <typename Type, int kCount>
void MultiplyRows(const RoundedBlock* x, int64_t rows, const Strip& strip, float* y, int64_t y_stride) {
  if constexpr (kCount > 1) {
    if (rows < kCount) return MultiplyRows<Type, kCount - 1>(x, rows, strip, y, y_stride);
  }
  MultiplyStrip<Type, kCount>(x, strip, y, y_stride);
}

template <typename Type>
void MultiplyPanelOf(const RoundedBlock* x, int64_t rows, const Strip& strip, float* y, int64_t y_stride) {
  for (int64_t r = 0; r < rows; r += kRows) {
    MultiplyRows<Type, kRows>(x + r * strip.blocks, rows - r, strip, y + r * y_stride, y_stride);
  }
}

// Rounds 32 values; the caller has the sums.
void RoundBlock(const float* x, RoundedBlock* to) {
  const __m512 low = _mm512_loadu_ps(x);
  const __m512 high = _mm512_loadu_ps(x + kLanes);
  const float top = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(low), _mm512_abs_ps(high)));
  const __m512 inverse = _mm512_set1_ps(top > 0 ? 127.0F / top : 0.0F);
  const __m512i a = _mm512_cvtps_epi32(_mm512_mul_ps(low, inverse));
  const __m512i b = _mm512_cvtps_epi32(_mm512_mul_ps(high, inverse));
  const int32_t sums[2] = {_mm512_reduce_add_epi32(a), _mm512_reduce_add_epi32(b)};
  auto* values = reinterpret_cast<__m128i*>(to->values);
  _mm_store_si128(values, _mm512_cvtepi32_epi8(a));
  _mm_store_si128(values + 1, _mm512_cvtepi32_epi8(b));
  to->scale = top / 127.0F;
  to->sum = to->scale * static_cast<float>(sums[0] + sums[1]);
  to->negative_of[0] = -sums[0];
  to->negative_of[1] = -sums[1];
  to->negative_of[2] = -(sums[0] + sums[1]);
}

HWY_POP_ATTRIBUTES

struct Kernels {
  void (*make)(const Matrix& w, int64_t first, PanelBlock* panel);
  void (*multiply)(const RoundedBlock* x, int64_t rows, const Strip& strip, float* y, int64_t y_stride);
};

template <typename Type>
constexpr Kernels kKernels = {MakePanel<Type>, MultiplyPanelOf<Type>};

const Kernels* FindKernels(int type) {
  switch (type) {
    case kTypeQ4_0:
      return &kKernels<Q4_0>;
    case kTypeQ4_1:
      return &kKernels<Q4_1>;
    case kTypeQ5_0:
      return &kKernels<Q5_0>;
    case kTypeQ5_1:
      return &kKernels<Q5_1>;
    case kTypeQ8_0:
      return &kKernels<Q8_0>;
    case kTypeQ4K:
      return &kKernels<Q4K>;
    case kTypeQ5K:
      return &kKernels<Q5K>;
    case kTypeQ6K:
      return &kKernels<Q6K>;
    default:
      return nullptr;
  }
}

bool HasInstructions() {
  static const bool has = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
                          __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                          __builtin_cpu_supports("avx512vnni") != 0;
  return has;
}

}  // namespace

// The panels of floats are as wide where AVX-512 was chosen, and only there; to ask Highway itself is slow.
bool HasBytePanels(int type) {
  return PanelWidth() == kBytePanelWidth && HasInstructions() && FindKernels(type) != nullptr;
}

void RoundRow(const float* x, int64_t cols, RoundedBlock* to) {
  for (int64_t i = 0; i < cols; i += 32) RoundBlock(x + i, to++);
}

void MakeBytePanel(const Matrix& w, int64_t first, PanelBlock* panel) { FindKernels(w.type)->make(w, first, panel); }

void MultiplyBytePanel(int type, const RoundedBlock* x, int64_t rows, int64_t cols, const PanelBlock* panel,
                       const float* bias, float* y, int64_t y_stride, int64_t outputs) {
  FindKernels(type)->multiply(x, rows, {cols / 32, panel, bias, outputs}, y, y_stride);
}

}  // namespace ltri

#endif  // HWY_ARCH_X86
