#include "ops/index_scan.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ops/gemm.h"

// Vectors without a fixed size cannot stand in arrays; such CPUs take the fixed-size target.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/index_scan.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Must follow highway.h.
#include "ops/cpu/sums-inl.h"

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

// The sum of the products of dimensions [begin, head_dim).
HWY_INLINE int32_t DotTail(const int8_t* vector, const int16_t* query, int64_t begin, int64_t head_dim) {
  int32_t sum = 0;
  for (int64_t i = begin; i < head_dim; ++i) sum += vector[i] * query[i];
  return sum;
}

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE int64_t DotFour(const int8_t* const* /*vectors*/, const int16_t* /*query*/, int64_t /*head_dim*/,
                           int32_t* sums) {
  std::fill_n(sums, 4, 0);
  return 0;
}
#else
// sums[u] = vector u . query over whole vectors of dimensions; returns how many those are. A product of 16 bits adds up
// pairs.
HWY_INLINE int64_t DotFour(const int8_t* const* vectors, const int16_t* HWY_RESTRICT query, int64_t head_dim,
                           int32_t* HWY_RESTRICT sums) {
  const hn::ScalableTag<int32_t> tag;
  const hn::Repartition<int16_t, decltype(tag)> wide;
  const hn::Rebind<int8_t, decltype(wide)> bytes;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  hn::Vec<decltype(tag)> totals[4];
  int64_t i = 0;
  for (int64_t u = 0; u < 4; ++u) {
    auto even = hn::Zero(tag);
    auto odd = hn::Zero(tag);
    for (i = 0; i + lanes <= head_dim; i += lanes) {
      const auto x = hn::PromoteTo(wide, hn::LoadU(bytes, vectors[u] + i));
      even = hn::ReorderWidenMulAccumulate(tag, x, hn::LoadU(wide, query + i), even, odd);
    }
    totals[u] = hn::Add(even, odd);
  }
  StoreSums(tag, totals, sums);
  return i;
}
#endif

// Hardware stops fetching ahead at the end of a page.
constexpr int64_t kAhead = 4096;

// Whole groups of four vectors whose dimensions are whole vectors; returns how many vectors those are.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE int64_t DotFours(const int8_t* /*vectors*/, const float* /*scales*/, int64_t /*count*/,
                            const int16_t* /*query*/, int64_t /*head_dim*/, float /*scale*/, float* /*dots*/) {
  return 0;
}
#else
HWY_INLINE int64_t DotFours(const int8_t* HWY_RESTRICT vectors, const float* HWY_RESTRICT scales, int64_t count,
                            const int16_t* HWY_RESTRICT query, int64_t head_dim, float scale,
                            float* HWY_RESTRICT dots) {
  const hn::FixedTag<float, 4> four;
  const hn::RebindToSigned<decltype(four)> integers;
  if (head_dim % static_cast<int64_t>(hn::Lanes(hn::ScalableTag<int16_t>())) != 0) return 0;
  const auto factor = hn::Set(four, scale);
  int64_t v = 0;
  for (; v + 4 <= count; v += 4) {
    const int8_t* at = vectors + v * head_dim;
    const int8_t* rows[4] = {at, at + head_dim, at + 2 * head_dim, at + 3 * head_dim};
    for (const int8_t* row : rows) __builtin_prefetch(row + kAhead);
    int32_t sums[4];
    DotFour(rows, query, head_dim, sums);
    const auto units = hn::Mul(hn::LoadU(four, scales + v), factor);
    hn::StoreU(hn::Mul(hn::ConvertTo(four, hn::LoadU(integers, sums)), units), four, dots + v);
  }
  return v;
}
#endif

// dots[v] = (query . vector v) * scales[v] * scale, v < count.
void DotVectors(const int8_t* HWY_RESTRICT vectors, const float* HWY_RESTRICT scales, int64_t count,
                const int16_t* HWY_RESTRICT query, int64_t head_dim, float scale, float* HWY_RESTRICT dots) {
  for (int64_t v = DotFours(vectors, scales, count, query, head_dim, scale, dots); v < count; v += 4) {
    const int64_t n = HWY_MIN(int64_t{4}, count - v);
    const int8_t* four[4];  // missing vectors repeat the last one
    for (int64_t u = 0; u < 4; ++u) {
      four[u] = vectors + (v + HWY_MIN(u, n - 1)) * head_dim;
      __builtin_prefetch(four[u] + kAhead);
    }
    int32_t sums[4];
    const int64_t done = DotFour(four, query, head_dim, sums);
    for (int64_t u = 0; u < n; ++u) {
      const int32_t sum = sums[u] + DotTail(four[u], query, done, head_dim);
      dots[v + u] = static_cast<float>(sum) * (scales[v + u] * scale);
    }
  }
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

float RoundQuery(const float* query, int64_t head_dim, int16_t* rounded) {
  float top = 0;
  for (int64_t i = 0; i < head_dim; ++i) top = std::max(top, std::abs(query[i]));
  const auto most = static_cast<float>(std::min<int64_t>(32767, INT32_MAX / (128 * head_dim)));
  const float inverse = top > 0 && std::isfinite(top) ? most / top : 0.0F;
  // Only a damaged model's queries hold what is no number.
  for (int64_t i = 0; i < head_dim; ++i) {
    rounded[i] = static_cast<int16_t>(std::isfinite(query[i]) ? std::lrintf(query[i] * inverse) : 0);
  }
  return top / most;
}

void IndexScan(const IndexView& view, const int16_t* query, int64_t head_dim, float scale, float* dots) {
  HWY_DYNAMIC_DISPATCH(DotVectors)(view.vectors, view.scales, view.count, query, head_dim, scale, dots);
}

void IndexScan(const IndexView& view, const float* queries, int64_t rows, int64_t head_dim, float scale, float* dots,
               int64_t stride) {
  if (rows <= kFewRows) {
    thread_local std::vector<int16_t> query;
    query.resize(std::max(query.size(), static_cast<size_t>(head_dim)));
    for (int64_t r = 0; r < rows; ++r) {
      const float unit = RoundQuery(queries + r * head_dim, head_dim, query.data());
      IndexScan(view, query.data(), head_dim, unit * scale, dots + r * stride);
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
