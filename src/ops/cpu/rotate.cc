#include "ops/convert.h"
#include "ops/rope.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/rotate.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Turns one row given as floats; angles: [cos, sin].
void RotateRow(const float* HWY_RESTRICT from, const float* HWY_RESTRICT angles, int64_t half, float scale,
               float* HWY_RESTRICT to) {
  const hn::ScalableTag<float> tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto factor = hn::Set(tag, scale);
  int64_t i = 0;
  for (; i + lanes <= half; i += lanes) {
    const auto a = hn::Mul(hn::LoadU(tag, from + i), factor);
    const auto b = hn::Mul(hn::LoadU(tag, from + half + i), factor);
    const auto c = hn::LoadU(tag, angles + i);
    const auto s = hn::LoadU(tag, angles + half + i);
    hn::StoreU(hn::NegMulAdd(b, s, hn::Mul(a, c)), tag, to + i);
    hn::StoreU(hn::MulAdd(b, c, hn::Mul(a, s)), tag, to + half + i);
  }
  for (; i < half; ++i) {
    const float a = from[i] * scale;
    const float b = from[half + i] * scale;
    to[i] = a * angles[i] - b * angles[half + i];
    to[half + i] = b * angles[i] + a * angles[half + i];
  }
}

void RotateHalfRows(const RopeTable& table, const Half* HWY_RESTRICT from, int64_t count, int64_t head_dim,
                    int64_t position, float* HWY_RESTRICT to) {
  const hn::ScalableTag<float> tag;
  const hn::Rebind<hwy::float16_t, decltype(tag)> narrow;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const int64_t half = table.dims() / 2;
  for (int64_t r = 0; r < count; ++r, from += head_dim, to += head_dim) {
    const auto* row = reinterpret_cast<const hwy::float16_t*>(from);
    const float* HWY_RESTRICT angles = table.Row(position + r);
    int64_t i = 0;
    for (; i + lanes <= half; i += lanes) {
      const auto a = hn::PromoteTo(tag, hn::LoadU(narrow, row + i));
      const auto b = hn::PromoteTo(tag, hn::LoadU(narrow, row + half + i));
      const auto c = hn::LoadU(tag, angles + i);
      const auto s = hn::LoadU(tag, angles + half + i);
      hn::StoreU(hn::NegMulAdd(b, s, hn::Mul(a, c)), tag, to + i);
      hn::StoreU(hn::MulAdd(b, c, hn::Mul(a, s)), tag, to + half + i);
    }
    for (; i < half; ++i) {
      const float a = FloatFromHalf(from[i]);
      const float b = FloatFromHalf(from[half + i]);
      to[i] = a * angles[i] - b * angles[half + i];
      to[half + i] = b * angles[i] + a * angles[half + i];
    }
    for (i = 2 * half; i < head_dim; ++i) to[i] = FloatFromHalf(from[i]);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {

HWY_EXPORT(RotateRow);
HWY_EXPORT(RotateHalfRows);

void RotateKeys(const RopeTable& table, const Half* from, int64_t count, int64_t head_dim, int64_t position,
                float* to) {
  HWY_DYNAMIC_DISPATCH(RotateHalfRows)(table, from, count, head_dim, position, to);
}

void RotateQuery(const RopeTable& table, const float* from, int64_t head_dim, int64_t position, float scale,
                 float* to) {
  HWY_DYNAMIC_DISPATCH(RotateRow)(from, table.Row(position), table.dims() / 2, scale, to);
  for (int64_t i = table.dims(); i < head_dim; ++i) to[i] = from[i] * scale;
}

}  // namespace ltri
#endif  // HWY_ONCE
