#include "ops/vote.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/vote.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Must follow highway.h.
#include "ops/cpu/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {

// s[i] = exp(s[i] - max(s)); returns their sum, and in `moment` the sum of (s[i] - max) exp(s[i] - max).
float ExpWithMoment(float* HWY_RESTRICT s, int64_t count, float* moment) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const float top = RowMax(s, count);
  const auto offset = hn::Set(tag, top);
  auto sums = hn::Zero(tag);
  auto moments = hn::Zero(tag);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto x = hn::Sub(hn::LoadU(tag, s + i), offset);
    const auto e = ExpNegative(tag, x);
    hn::StoreU(e, tag, s + i);
    sums = hn::Add(sums, e);
    moments = hn::MulAdd(x, e, moments);
  }
  if (i < count) {
    const auto x = hn::Sub(LoadFirst(tag, s + i, count - i), offset);
    const auto e = hn::IfThenElseZero(hn::FirstN(tag, static_cast<size_t>(count - i)), ExpNegative(tag, x));
    StoreFirst(e, tag, s + i, count - i);
    sums = hn::Add(sums, e);
    moments = hn::MulAdd(x, e, moments);
  }
  *moment = hn::GetLane(hn::SumOfLanes(tag, moments));
  return hn::GetLane(hn::SumOfLanes(tag, sums));
}

float DotProduct(const float* HWY_RESTRICT x, const float* HWY_RESTRICT y, int64_t count) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  auto sums = hn::Zero(tag);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) sums = hn::MulAdd(hn::LoadU(tag, x + i), hn::LoadU(tag, y + i), sums);
  float sum = hn::GetLane(hn::SumOfLanes(tag, sums));
  for (; i < count; ++i) sum += x[i] * y[i];
  return sum;
}

void Scale(float factor, int64_t count, float* HWY_RESTRICT x) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto f = hn::Set(tag, factor);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(hn::Mul(f, hn::LoadU(tag, x + i)), tag, x + i);
  for (; i < count; ++i) x[i] *= factor;
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {

HWY_EXPORT(ExpWithMoment);
HWY_EXPORT(Scale);
HWY_EXPORT(DotProduct);

float SoftmaxWithEntropy(float* x, int64_t count) {
  float moment = 0;
  const float sum = HWY_DYNAMIC_DISPATCH(ExpWithMoment)(x, count, &moment);
  HWY_DYNAMIC_DISPATCH(Scale)(1.0F / sum, count, x);
  return std::log(sum) - moment / sum;
}

float Dot(const float* x, const float* y, int64_t count) { return HWY_DYNAMIC_DISPATCH(DotProduct)(x, y, count); }

}  // namespace ltri
#endif  // HWY_ONCE
