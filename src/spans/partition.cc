#include "spans/partition.h"

#include <hwy/base.h>

#include <algorithm>
#include <cstddef>
#include <limits>

// Highway compiles the section below once for each instruction set and picks one at run time. Only additions and
// maxima are used, so every one of them gives the same bits.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "spans/partition.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most this many lanes, so that rows need TriangleScore::kPadding cells of padding, no more.
using Lanes = hn::CappedTag<float, TriangleScore::kPadding>;

// max over i in [0, n) of a[i] + b[i]. Reads whole vectors; beyond n, b holds minus infinity.
HWY_ATTR float MaxPlus(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, size_t n) {
  const Lanes d;
  const size_t lanes = hn::Lanes(d);
  auto low = hn::Add(hn::LoadU(d, a), hn::LoadU(d, b));
  auto high = low;
  size_t i = lanes;
  for (; i + lanes < n; i += 2 * lanes) {
    low = hn::Max(low, hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)));
    high = hn::Max(high, hn::Add(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes)));
  }
  if (i < n) low = hn::Max(low, hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)));
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(low, high)));
}

// best[-k] is the best total of [begin, begin+k): the order is reversed, so that the candidates of one border, from the
// shortest span on, lie as the scores do.
HWY_ATTR void FillBest(const TriangleScore& scores, int64_t begin, int64_t end, int64_t min_span, float* best) {
  const size_t candidates = static_cast<size_t>(scores.width() - min_span + 1);
  int64_t slot = scores.Slot(begin);
  for (int64_t k = 1; k <= end - begin; ++k) {
    const float* row = scores.data() + slot * scores.stride();
    best[-k] = MaxPlus(best - k + min_span, row + min_span - 1, candidates);
    if (++slot == scores.rows()) slot = 0;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {

HWY_EXPORT(FillBest);

float BestPartition(const TriangleScore& scores, int64_t begin, int64_t end, int64_t min_span, std::vector<float>* best,
                    std::vector<int64_t>* ends) {
  constexpr float kUnreachable = -std::numeric_limits<float>::infinity();
  const int64_t n = end - begin;
  const int64_t width = scores.width();
  best->assign(static_cast<size_t>(n + 1 + width + TriangleScore::kPadding), kUnreachable);
  float* zero = best->data() + n;
  *zero = 0;
  HWY_DYNAMIC_DISPATCH(FillBest)(scores, begin, end, min_span, zero);

  int64_t k = n;
  while (zero[-k] == kUnreachable) --k;
  const float total = zero[-k];
  ends->clear();
  while (k > 0) {
    ends->push_back(begin + k);
    const float* row = scores.Row(begin + k - 1);
    int64_t length = width;
    while (length > min_span && zero[-k + length] + row[length - 1] != zero[-k]) --length;
    k -= length;
  }
  std::reverse(ends->begin(), ends->end());
  return total;
}

void PartitionCutter::FindEnds(const TriangleScore& scores, int64_t begin, int64_t end, std::vector<int64_t>* ends) {
  BestPartition(scores, begin, end, options().min_span, &best_, ends);
}

}  // namespace ltri
#endif  // HWY_ONCE
