// Vectorised pieces of a softmax. Included once per SIMD target, after highway.h.
#if defined(LTRI_OPS_CPU_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LTRI_OPS_CPU_SOFTMAX_INL_H_
#undef LTRI_OPS_CPU_SOFTMAX_INL_H_
#else
#define LTRI_OPS_CPU_SOFTMAX_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "ops/cpu/tail-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// exp(x) for x <= 0: 2^n * p(f) with x / ln 2 = n + f, |f| <= 1/2, p the Taylor polynomial of degree 6.
// Relative error below 2e-7; 0 below -87.
HWY_INLINE FloatVec ExpNegative(FloatTag tag, FloatVec x) {
  const hn::RebindToSigned<FloatTag> integers;
  const auto low = hn::Set(tag, -87.0F);
  const auto clamped = hn::Max(x, low);
  const auto n = hn::Round(hn::Mul(clamped, hn::Set(tag, 1.44269504088896341F)));
  // ln 2 in two parts, so that x - n ln 2 keeps its bits.
  auto f = hn::NegMulAdd(n, hn::Set(tag, 0.693359375F), clamped);
  f = hn::NegMulAdd(n, hn::Set(tag, -2.12194440e-4F), f);
  auto p = hn::Set(tag, 1.0F / 720);
  p = hn::MulAdd(p, f, hn::Set(tag, 1.0F / 120));
  p = hn::MulAdd(p, f, hn::Set(tag, 1.0F / 24));
  p = hn::MulAdd(p, f, hn::Set(tag, 1.0F / 6));
  p = hn::MulAdd(p, f, hn::Set(tag, 0.5F));
  p = hn::MulAdd(p, f, hn::Set(tag, 1.0F));
  p = hn::MulAdd(p, f, hn::Set(tag, 1.0F));
  const auto bits = hn::ShiftLeft<23>(hn::ConvertTo(integers, n));
  const auto scaled = hn::BitCast(tag, hn::Add(hn::BitCast(integers, p), bits));
  return hn::IfThenElseZero(hn::Ge(x, low), scaled);
}

// The largest of s[0, count), count > 0.
HWY_INLINE float RowMax(const float* HWY_RESTRICT s, int64_t count) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  auto top = hn::Set(tag, s[0]);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) top = hn::Max(top, hn::LoadU(tag, s + i));
  float result = hn::GetLane(hn::MaxOfLanes(tag, top));
  for (; i < count; ++i) result = HWY_MAX(result, s[i]);
  return result;
}

// s[i] = exp(s[i] - shift) for i < count, all s[i] <= shift up to rounding; returns the sum.
HWY_INLINE float RowExp(float* HWY_RESTRICT s, int64_t count, float shift) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto offset = hn::Set(tag, shift);
  auto sums = hn::Zero(tag);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto e = ExpNegative(tag, hn::Sub(hn::LoadU(tag, s + i), offset));
    hn::StoreU(e, tag, s + i);
    sums = hn::Add(sums, e);
  }
  if (i < count) {
    const auto mask = hn::FirstN(tag, static_cast<size_t>(count - i));
    const auto e = hn::IfThenElseZero(mask, ExpNegative(tag, hn::Sub(LoadFirst(tag, s + i, count - i), offset)));
    StoreFirst(e, tag, s + i, count - i);
    sums = hn::Add(sums, e);
  }
  return hn::GetLane(hn::SumOfLanes(tag, sums));
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#endif  // per target
