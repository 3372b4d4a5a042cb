// The last, incomplete vector of an array. Masked loads read past the end on some targets, so it goes through a copy.
#if defined(LTRI_OPS_CPU_TAIL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LTRI_OPS_CPU_TAIL_INL_H_
#undef LTRI_OPS_CPU_TAIL_INL_H_
#else
#define LTRI_OPS_CPU_TAIL_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::Vec<FloatTag>;

// from[0, count), zeros behind; count <= lanes.
HWY_INLINE FloatVec LoadFirst(FloatTag tag, const float* from, int64_t count) {
  HWY_ALIGN float lanes[hn::MaxLanes(FloatTag())] = {};
  std::memcpy(lanes, from, static_cast<size_t>(count) * sizeof(float));
  return hn::Load(tag, lanes);
}

HWY_INLINE void StoreFirst(FloatVec value, FloatTag tag, float* to, int64_t count) {
  HWY_ALIGN float lanes[hn::MaxLanes(FloatTag())];
  hn::Store(value, tag, lanes);
  std::memcpy(to, lanes, static_cast<size_t>(count) * sizeof(float));
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#endif  // per target
