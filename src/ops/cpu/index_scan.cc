#include "ops/index_scan.h"

#include <algorithm>
#include <limits>
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

// dots[r] = (queries[r] . vector) * scale, for few rows.
void DotVector(const int8_t* HWY_RESTRICT vector, float scale, const float* HWY_RESTRICT queries, int64_t rows,
               int64_t head_dim, float* HWY_RESTRICT dots) {
  const hn::ScalableTag<float> tag;
  const hn::Rebind<int32_t, decltype(tag)> integers;
  const hn::Rebind<int8_t, decltype(tag)> bytes;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  for (int64_t r = 0; r < rows; ++r) {
    const float* q = queries + r * head_dim;
    auto sum = hn::Zero(tag);
    int64_t i = 0;
    for (; i + lanes <= head_dim; i += lanes) {
      const auto v = hn::ConvertTo(tag, hn::PromoteTo(integers, hn::LoadU(bytes, vector + i)));
      sum = hn::MulAdd(v, hn::LoadU(tag, q + i), sum);
    }
    float total = hn::GetLane(hn::SumOfLanes(tag, sum));
    for (; i < head_dim; ++i) total += static_cast<float>(vector[i]) * q[i];
    dots[r] = total * scale;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {
namespace {

HWY_EXPORT(UnpackVector);
HWY_EXPORT(DotVector);

constexpr int64_t kSpanTile = 128;  // spans a task looks at
constexpr int64_t kFewRows = 8;     // up to here vectors are used as they lie, beyond they are unpacked for a product
constexpr int64_t kUnpacked = 256;  // vectors unpacked at a time

// Kept by each thread from call to call.
struct Scratch {
  std::vector<float> vectors, dots;
};

// Vectors [begin, end) against all rows: dots[r][v - begin], rows kUnpacked apart.
void DotTile(const IndexView& view, int64_t begin, int64_t end, const float* queries, int64_t rows, int64_t head_dim,
             float scale, Scratch& scratch) {
  scratch.dots.resize(static_cast<size_t>(rows * kUnpacked));
  if (rows <= kFewRows) {
    float column[kFewRows];
    for (int64_t v = begin; v < end; ++v) {
      HWY_DYNAMIC_DISPATCH(DotVector)
      (view.vectors + v * head_dim, view.scales[v] * scale, queries, rows, head_dim, column);
      for (int64_t r = 0; r < rows; ++r) scratch.dots[static_cast<size_t>(r * kUnpacked + v - begin)] = column[r];
    }
    return;
  }
  scratch.vectors.resize(static_cast<size_t>(kUnpacked * head_dim));
  for (int64_t v = begin; v < end; ++v) {
    HWY_DYNAMIC_DISPATCH(UnpackVector)
    (view.vectors + v * head_dim, view.scales[v] * scale, head_dim, scratch.vectors.data() + (v - begin) * head_dim);
  }
  GemmTransposed(rows, end - begin, head_dim, 1.0F, queries, head_dim, scratch.vectors.data(), head_dim, 0.0F,
                 scratch.dots.data(), kUnpacked);
}

}  // namespace

void IndexScan(ThreadPool& pool, const IndexView& view, const float* queries, int64_t rows, int64_t head_dim,
               float scale, float* relevance) {
  pool.Run((view.spans + kSpanTile - 1) / kSpanTile, [&](int64_t task, int) {
    thread_local Scratch s;
    const int64_t last = std::min(view.spans, (task + 1) * kSpanTile);
    for (int64_t r = 0; r < rows; ++r) {
      std::fill(relevance + r * view.spans + task * kSpanTile, relevance + r * view.spans + last,
                -std::numeric_limits<float>::infinity());
    }
    int64_t span = task * kSpanTile;
    for (int64_t begin = view.first[span]; begin < view.first[last]; begin += kUnpacked) {
      const int64_t end = std::min(view.first[last], begin + kUnpacked);
      DotTile(view, begin, end, queries, rows, head_dim, scale, s);
      for (int64_t v = begin; v < end; ++v) {
        while (v >= view.first[span + 1]) ++span;
        for (int64_t r = 0; r < rows; ++r) {
          float& best = relevance[r * view.spans + span];
          best = std::max(best, s.dots[static_cast<size_t>(r * kUnpacked + v - begin)]);
        }
      }
    }
  });
}

}  // namespace ltri
#endif  // HWY_ONCE
