// RmsNorm and GatedActivation.
#include <cmath>

#include "ops/activation.h"
#include "ops/rms_norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/pointwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Must follow highway.h.
#include "hwy/contrib/math/math-inl.h"
#include "ops/cpu/tail-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
void Norm(const float* x, const float* HWY_RESTRICT weight, int64_t rows, int64_t width, float epsilon, float* y) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  for (int64_t r = 0; r < rows; ++r, x += width, y += width) {
    auto sums = hn::Zero(tag);
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
      const auto v = hn::LoadU(tag, x + i);
      sums = hn::MulAdd(v, v, sums);
    }
    float sum = hn::GetLane(hn::SumOfLanes(tag, sums));
    for (; i < width; ++i) sum += x[i] * x[i];
    const float scale = 1.0F / std::sqrt(sum / static_cast<float>(width) + epsilon);
    const auto factor = hn::Set(tag, scale);
    for (i = 0; i + lanes <= width; i += lanes) {
      hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(tag, x + i), factor), hn::LoadU(tag, weight + i)), tag, y + i);
    }
    for (; i < width; ++i) y[i] = x[i] * scale * weight[i];
  }
}

// x / (1 + exp(-x))
HWY_INLINE FloatVec Sigmoid(FloatTag tag, FloatVec x) {
  const auto one = hn::Set(tag, 1.0F);
  // exp(-88) is the smallest normal result; beyond it the gate is closed anyway.
  const auto e = hn::Exp(tag, hn::Min(hn::Neg(x), hn::Set(tag, 87.0F)));
  return hn::Div(one, hn::Add(one, e));
}

void Gate(Activation activation, float* HWY_RESTRICT gate, const float* HWY_RESTRICT up, int64_t count) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  // gelu(x) by tanh equals x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)).
  const auto cubic = hn::Set(tag, 0.044715F);
  const auto linear = hn::Set(tag, 1.5957691216057308F);
  const auto gated = [&](FloatVec g, FloatVec u) HWY_ATTR {
    auto inner = g;
    if (activation == Activation::kGelu) inner = hn::Mul(linear, hn::MulAdd(hn::Mul(cubic, hn::Mul(g, g)), g, g));
    return hn::Mul(hn::Mul(g, Sigmoid(tag, inner)), u);
  };
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(gated(hn::LoadU(tag, gate + i), hn::LoadU(tag, up + i)), tag, gate + i);
  }
  if (i < count) {
    StoreFirst(gated(LoadFirst(tag, gate + i, count - i), LoadFirst(tag, up + i, count - i)), tag, gate + i, count - i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {

HWY_EXPORT(Norm);
HWY_EXPORT(Gate);

void RmsNorm(const float* x, const float* weight, int64_t rows, int64_t width, float epsilon, float* y) {
  HWY_DYNAMIC_DISPATCH(Norm)(x, weight, rows, width, epsilon, y);
}

void GatedActivation(Activation activation, float* gate, const float* up, int64_t count) {
  HWY_DYNAMIC_DISPATCH(Gate)(activation, gate, up, count);
}

}  // namespace ltri
#endif  // HWY_ONCE
