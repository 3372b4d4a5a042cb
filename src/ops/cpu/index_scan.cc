#include "ops/index_scan.h"

#include <algorithm>
#include <vector>

#include "ops/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/index_scan.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// to[i] = from[i] * scale, i < count.
void UnpackVector(const int8_t* HWY_RESTRICT from, float scale, int64_t count, float* HWY_RESTRICT to) {
  const hn::ScalableTag<float> tag;
  const hn::Rebind<int32_t, decltype(tag)> integers;
  const hn::Rebind<int8_t, decltype(tag)> bytes;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto factor = hn::Set(tag, scale);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto v = hn::ConvertTo(tag, hn::PromoteTo(integers, hn::LoadU(bytes, from + i)));
    hn::StoreU(hn::Mul(v, factor), tag, to + i);
  }
  for (; i < count; ++i) to[i] = static_cast<float>(from[i]) * scale;
}

// dots[v] = (query . vector v) * scales[v] * scale, v < count.
void DotVectors(const int8_t* HWY_RESTRICT vectors, const float* HWY_RESTRICT scales, int64_t count,
                const float* HWY_RESTRICT query, int64_t head_dim, float scale, float* HWY_RESTRICT dots) {
  const hn::ScalableTag<float> tag;
  const hn::Rebind<int32_t, decltype(tag)> integers;
  const hn::Rebind<int8_t, decltype(tag)> bytes;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto dot = [&](const int8_t* HWY_RESTRICT vector) {
    auto sum = hn::Zero(tag);
    int64_t i = 0;
    for (; i + lanes <= head_dim; i += lanes) {
      const auto x = hn::ConvertTo(tag, hn::PromoteTo(integers, hn::LoadU(bytes, vector + i)));
      sum = hn::MulAdd(x, hn::LoadU(tag, query + i), sum);
    }
    float total = hn::GetLane(hn::SumOfLanes(tag, sum));
    for (; i < head_dim; ++i) total += static_cast<float>(vector[i]) * query[i];
    return total;
  };
  for (int64_t v = 0; v < count; ++v) dots[v] = dot(vectors + v * head_dim) * (scales[v] * scale);
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {
namespace {

HWY_EXPORT(UnpackVector);
HWY_EXPORT(DotVectors);

constexpr int64_t kFewRows = 4;     // up to here vectors are used as they lie, beyond they are unpacked for a product
constexpr int64_t kUnpacked = 256;  // vectors unpacked at a time

}  // namespace

void IndexScan(const IndexView& view, const float* queries, int64_t rows, int64_t head_dim, float scale, float* dots,
               int64_t stride) {
  if (rows <= kFewRows) {
    for (int64_t r = 0; r < rows; ++r) {
      HWY_DYNAMIC_DISPATCH(DotVectors)
      (view.vectors, view.scales, view.count, queries + r * head_dim, head_dim, scale, dots + r * stride);
    }
    return;
  }
  thread_local std::vector<float> unpacked;  // kept from call to call
  unpacked.resize(std::max(unpacked.size(), static_cast<size_t>(kUnpacked * head_dim)));
  for (int64_t begin = 0; begin < view.count; begin += kUnpacked) {
    const int64_t count = std::min(kUnpacked, view.count - begin);
    for (int64_t v = 0; v < count; ++v) {
      HWY_DYNAMIC_DISPATCH(UnpackVector)
      (view.vectors + (begin + v) * head_dim, view.scales[begin + v] * scale, head_dim, unpacked.data() + v * head_dim);
    }
    GemmTransposed(rows, count, head_dim, 1.0F, queries, head_dim, unpacked.data(), head_dim, 0.0F, dots + begin,
                   stride);
  }
}

}  // namespace ltri
#endif  // HWY_ONCE
