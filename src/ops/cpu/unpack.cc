// UnpackValues of ops/cpu/panels.h: the types that ggml unpacks one number at a time; the rest is left to ggml.
#include "hwy/base.h"
#include "ops/convert.h"
#include "ops/cpu/panels.h"
#include "weights/ggml_types.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/unpack.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes: a half block.
using Tag = hn::CappedTag<float, 16>;
using Ints = hn::RebindToSigned<Tag>;
using Vec = hn::Vec<Tag>;
using IntVec = hn::Vec<Ints>;

float HalfAt(const std::byte* at) {
  Half half;
  __builtin_memcpy(&half, at, sizeof(half));
  return FloatFromHalf(half);
}

HWY_INLINE IntVec BytesAt(Ints ints, const std::byte* at) {
  const hn::Rebind<uint8_t, Ints> bytes;
  return hn::PromoteTo(ints, hn::LoadU(bytes, reinterpret_cast<const uint8_t*>(at)));
}

// Blocks of 32: a scale, perhaps a minimum, perhaps a fifth bit of each, 16 bytes of 4 bits: low halves first.
template <int kBytes, bool kHasMinimum, bool kHasFifthBit>
void Nibbles(const std::byte* from, int64_t count, float* HWY_RESTRICT to) {
  const Tag tag;
  const Ints ints;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const IntVec low = hn::Set(ints, 15);
  const auto zero = static_cast<float>(kHasFifthBit ? 16 : 8);
  for (const float* end = to + count; to < end; from += kBytes, to += 32) {
    const float scale = HalfAt(from);
    const Vec factor = hn::Set(tag, scale);
    const Vec start = hn::Set(tag, kHasMinimum ? HalfAt(from + 2) : -zero * scale);
    uint32_t fifth = 0;
    if constexpr (kHasFifthBit) __builtin_memcpy(&fifth, from + kBytes - 20, sizeof(fifth));
    for (int64_t i = 0; i < 16; i += lanes) {
      const IntVec both = BytesAt(ints, from + kBytes - 16 + i);
      IntVec first = hn::And(both, low);
      IntVec second = hn::ShiftRight<4>(both);
      if constexpr (kHasFifthBit) {
        const IntVec lane = hn::Iota(ints, static_cast<int32_t>(i));
        const IntVec one = hn::Set(ints, 1);
        const auto bit = [&](uint32_t bits) HWY_ATTR {
          return hn::ShiftLeft<4>(hn::And(hn::Shr(hn::Set(ints, static_cast<int32_t>(bits)), lane), one));
        };
        first = hn::Or(first, bit(fifth & 0xFFFFU));
        second = hn::Or(second, bit(fifth >> 16U));
      }
      hn::StoreU(hn::MulAdd(hn::ConvertTo(tag, first), factor, start), tag, to + i);
      hn::StoreU(hn::MulAdd(hn::ConvertTo(tag, second), factor, start), tag, to + 16 + i);
    }
  }
}

// Blocks of 256: low 4 bits [2][64], high 2 bits [2][32], 16 scales of 8 bits, their scale.
void SixBits(const std::byte* from, int64_t count, float* HWY_RESTRICT to) {
  const Tag tag;
  const Ints ints;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const IntVec low = hn::Set(ints, 15);
  const IntVec two = hn::Set(ints, 3);
  for (const float* end = to + count; to < end; from += 210) {
    const float scale = HalfAt(from + 208);
    for (int64_t half = 0; half < 2; ++half, to += 128) {
      const std::byte* codes = from + half * 64;
      const std::byte* high = from + 128 + half * 32;
      const auto* scales = reinterpret_cast<const int8_t*>(from + 192 + half * 8);
      for (int64_t i = 0; i < 32; i += lanes) {
        const IntVec bits = BytesAt(ints, high + i);
        const IntVec a = BytesAt(ints, codes + i);
        const IntVec b = BytesAt(ints, codes + 32 + i);
        const auto store = [&](IntVec code, IntVec top, int64_t quarter) HWY_ATTR {
          const Vec factor = hn::Set(tag, scale * static_cast<float>(scales[2 * quarter + i / 16]));
          const IntVec value = hn::Sub(hn::Or(code, hn::ShiftLeft<4>(hn::And(top, two))), hn::Set(ints, 32));
          hn::StoreU(hn::Mul(hn::ConvertTo(tag, value), factor), tag, to + 32 * quarter + i);
        };
        store(hn::And(a, low), bits, 0);
        store(hn::And(b, low), hn::ShiftRight<2>(bits), 1);
        store(hn::ShiftRight<4>(a), hn::ShiftRight<4>(bits), 2);
        store(hn::ShiftRight<4>(b), hn::ShiftRight<6>(bits), 3);
      }
    }
  }
}

using Unpack = void (*)(const std::byte* from, int64_t count, float* to);

Unpack FindUnpack(int type) {
  switch (type) {
    case kTypeQ4_0:
      return Nibbles<18, false, false>;
    case kTypeQ4_1:
      return Nibbles<20, true, false>;
    case kTypeQ5_0:
      return Nibbles<22, false, true>;
    case kTypeQ5_1:
      return Nibbles<24, true, true>;
    case kTypeQ6K:
      return SixBits;
    default:
      return nullptr;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {

HWY_EXPORT(FindUnpack);

void UnpackValues(int type, const std::byte* from, int64_t count, float* to) {
  if (type == kTypeF16) return HalfToFloat(reinterpret_cast<const Half*>(from), count, to);
  if (const auto unpack = HWY_DYNAMIC_DISPATCH(FindUnpack)(type); unpack != nullptr) return unpack(from, count, to);
  DequantizeRow(type, from, to, count);
}

}  // namespace ltri
#endif  // HWY_ONCE
