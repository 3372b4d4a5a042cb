#include "ops/convert.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/convert.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr float kLargestHalf = 65504.0F;

// Whether DemoteTo rounds: where the CPU has no instruction for it, Highway cuts the digits off.
constexpr bool kRounds = HWY_ARCH_ARM || (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2);

void ToFloat(const Half* HWY_RESTRICT from, int64_t count, float* HWY_RESTRICT to) {
  const hn::ScalableTag<float> wide;
  const hn::Rebind<hwy::float16_t, decltype(wide)> narrow;
  const auto* half = reinterpret_cast<const hwy::float16_t*>(from);
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(hn::PromoteTo(wide, hn::LoadU(narrow, half + i)), wide, to + i);
  for (; i < count; ++i) to[i] = FloatFromHalf(from[i]);
}

// Whole vectors of from[0, count); returns how many values they were.
HWY_INLINE int64_t VectorsToHalf(const float* HWY_RESTRICT from, int64_t count, Half* HWY_RESTRICT to) {
  const hn::ScalableTag<float> wide;
  const hn::Rebind<hwy::float16_t, decltype(wide)> narrow;
  auto* half = reinterpret_cast<hwy::float16_t*>(to);
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  const auto high = hn::Set(wide, kLargestHalf);
  const auto low = hn::Set(wide, -kLargestHalf);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::Min(hn::Max(hn::LoadU(wide, from + i), low), high);
    hn::StoreU(hn::DemoteTo(narrow, value), narrow, half + i);
  }
  return i;
}

void ToHalf(const float* HWY_RESTRICT from, int64_t count, Half* HWY_RESTRICT to) {
  int64_t i = 0;
  if constexpr (kRounds) i = VectorsToHalf(from, count, to);
  for (; i < count; ++i) to[i] = HalfFromFloat(HWY_MIN(HWY_MAX(from[i], -kLargestHalf), kLargestHalf));
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {

HWY_EXPORT(ToFloat);
HWY_EXPORT(ToHalf);

void HalfToFloat(const Half* from, int64_t count, float* to) { HWY_DYNAMIC_DISPATCH(ToFloat)(from, count, to); }
void FloatToHalf(const float* from, int64_t count, Half* to) { HWY_DYNAMIC_DISPATCH(ToHalf)(from, count, to); }

}  // namespace ltri
#endif  // HWY_ONCE
