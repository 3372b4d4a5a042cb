// Sums over the lanes of four vectors with one shuffle for all. Included once per SIMD target, after highway.h.
#if defined(LTRI_OPS_CPU_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LTRI_OPS_CPU_SUMS_INL_H_
#undef LTRI_OPS_CPU_SUMS_INL_H_
#else
#define LTRI_OPS_CPU_SUMS_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
// to[i] = the sum of lanes i, i + 4, ... of v, i < 4.
template <class Tag>
HWY_INLINE void StoreFourSums(Tag tag, hn::Vec<Tag> v, hn::TFromD<Tag>* to) {
  if constexpr (hn::MaxLanes(Tag()) <= 4) {
    hn::StoreU(v, tag, to);
  } else {
    const hn::Half<Tag> half;
    StoreFourSums(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)), to);
  }
}
#endif

// to[i] = the sum of the lanes of v[i], i < 4. Lanes of 32 bits.
template <class Tag>
HWY_INLINE void StoreSums(Tag tag, const hn::Vec<Tag>* v, hn::TFromD<Tag>* to) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (hn::MaxLanes(Tag()) >= 4) {
    const hn::Repartition<uint64_t, Tag> pairs;
    const auto add = [&](hn::Vec<Tag> a, hn::Vec<Tag> b) HWY_ATTR {
      return hn::BitCast(pairs, hn::Add(hn::InterleaveLower(tag, a, b), hn::InterleaveUpper(tag, a, b)));
    };
    const auto ab = add(v[0], v[1]);
    const auto cd = add(v[2], v[3]);
    const auto even = hn::BitCast(tag, hn::InterleaveLower(pairs, ab, cd));
    return StoreFourSums(tag, hn::Add(even, hn::BitCast(tag, hn::InterleaveUpper(pairs, ab, cd))), to);
  }
#endif
  for (int64_t i = 0; i < 4; ++i) to[i] = hn::GetLane(hn::SumOfLanes(tag, v[i]));
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#endif  // per target
