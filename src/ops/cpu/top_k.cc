#include "ops/top_k.h"

#include <algorithm>
#include <bit>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/top_k.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Must follow highway.h.
#include "ops/cpu/tail-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {

constexpr int64_t kGroup = 16;  // vectors whose values share a maximum, lane by lane

// The highest of each group of x; the values behind the last whole vector stand for themselves. Returns how many.
int64_t GroupMaxima(const float* HWY_RESTRICT x, int64_t count, float* HWY_RESTRICT maxima) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto none = hn::Set(tag, -std::numeric_limits<float>::infinity());
  const int64_t whole = count / lanes * lanes;
  int64_t written = 0;
  for (int64_t begin = 0; begin < whole; begin += kGroup * lanes, written += lanes) {
    auto top = none;
    const int64_t end = HWY_MIN(whole, begin + kGroup * lanes);
    for (int64_t i = begin; i < end; i += lanes) {
      const auto v = hn::LoadU(tag, x + i);
      top = hn::IfThenElse(hn::Gt(v, top), v, top);
    }
    hn::StoreU(top, tag, maxima + written);
  }
  for (int64_t i = whole; i < count; ++i, ++written) maxima[written] = x[i] == x[i] ? x[i] : hn::GetLane(none);
  return written;
}

// indices: room for count and a vector. Returns how many are at least `cutoff`.
int64_t IndicesAtLeast(const float* HWY_RESTRICT x, int64_t count, float cutoff, int32_t* HWY_RESTRICT indices) {
  const FloatTag tag;
  const hn::RebindToSigned<FloatTag> integers;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto least = hn::Set(tag, cutoff);
  int64_t written = 0;
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto taken = hn::Ge(hn::LoadU(tag, x + i), least);
    if (hn::AllFalse(tag, taken)) continue;
    const auto numbers = hn::Iota(integers, static_cast<int32_t>(i));
    // A store of a vector with what is not taken behind: storing only what is taken is slow on some CPUs.
    hn::StoreU(hn::Compress(numbers, hn::RebindMask(integers, taken)), integers, indices + written);
    written += static_cast<int64_t>(hn::CountTrue(tag, taken));
  }
  for (; i < count; ++i) {
    if (x[i] >= cutoff) indices[written++] = static_cast<int32_t>(i);
  }
  return written;
}

// How many of x are at least `cutoff`.
int64_t CountAtLeast(const float* HWY_RESTRICT x, int64_t count, float cutoff) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto least = hn::Set(tag, cutoff);
  size_t found = 0;
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) found += hn::CountTrue(tag, hn::Ge(hn::LoadU(tag, x + i), least));
  for (; i < count; ++i) found += x[i] >= cutoff ? 1 : 0;
  return static_cast<int64_t>(found);
}

// The lowest of those of x that are at least `cutoff`; infinity when there are none.
float LowestAtLeast(const float* HWY_RESTRICT x, int64_t count, float cutoff) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto least = hn::Set(tag, cutoff);
  auto lowest = hn::Set(tag, std::numeric_limits<float>::infinity());
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto v = hn::LoadU(tag, x + i);
    lowest = hn::Min(lowest, hn::IfThenElse(hn::Ge(v, least), v, lowest));
  }
  float all = hn::GetLane(hn::MinOfLanes(tag, lowest));
  for (; i < count; ++i) all = x[i] >= cutoff ? HWY_MIN(all, x[i]) : all;
  return all;
}

int64_t VectorLanes() { return static_cast<int64_t>(hn::Lanes(FloatTag())); }

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {

HWY_EXPORT(GroupMaxima);
HWY_EXPORT(IndicesAtLeast);
HWY_EXPORT(CountAtLeast);
HWY_EXPORT(LowestAtLeast);
HWY_EXPORT(VectorLanes);

namespace {

// Numbers in the order of the floats that they stand for.
float FloatOf(int32_t number) { return std::bit_cast<float>(number ^ ((number >> 31) & INT32_MAX)); }
int32_t NumberOf(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits ^ ((bits >> 31) & INT32_MAX);
}

// The k-th highest of `count` >= k values; what is no number counts as none. By halving the floats that it may be,
// until just k are as high: to count is a matter of nanoseconds, while what partitions guesses every branch wrong.
float Select(const float* x, int64_t count, int64_t k, float highest) {
  int64_t low = NumberOf(-std::numeric_limits<float>::infinity());
  int64_t high = NumberOf(highest);
  // Most values are of the highest one's sign and some powers of two below it.
  constexpr int64_t kNear = int64_t{16} << 23;
  int64_t middle = std::max(low, high - kNear);
  while (low < high) {
    const int64_t found = HWY_DYNAMIC_DISPATCH(CountAtLeast)(x, count, FloatOf(static_cast<int32_t>(middle)));
    if (found == k) return HWY_DYNAMIC_DISPATCH(LowestAtLeast)(x, count, FloatOf(static_cast<int32_t>(middle)));
    if (found > k) {
      low = middle;
    } else {
      high = middle - 1;
    }
    middle = low + (high - low + 1) / 2;
  }
  return FloatOf(static_cast<int32_t>(low));
}

}  // namespace

float KthHighest(const float* x, int64_t count, int64_t k, float* highest, std::vector<float>* scratch) {
  // Every group's highest is one of the values, so the k-th of those is no higher than the k-th of all; few values are
  // as high.
  const int64_t lanes = HWY_DYNAMIC_DISPATCH(VectorLanes)();
  scratch->resize(static_cast<size_t>(count / HWY_NAMESPACE::kGroup + 2 * lanes));
  const int64_t groups = HWY_DYNAMIC_DISPATCH(GroupMaxima)(x, count, scratch->data());
  scratch->resize(static_cast<size_t>(groups));
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  *highest = kNone;
  for (const float maximum : *scratch) *highest = std::max(*highest, maximum);
  if (count < k) return kNone;
  if (groups < k) {
    return HWY_DYNAMIC_DISPATCH(CountAtLeast)(x, count, kNone) < k ? kNone : Select(x, count, k, *highest);
  }
  const float floor = Select(scratch->data(), groups, k, *highest);
  thread_local std::vector<int32_t> candidates;
  AtLeast(x, count, floor, &candidates);
  if (static_cast<int64_t>(candidates.size()) < k) return kNone;
  scratch->clear();
  for (const int32_t i : candidates) scratch->push_back(x[i]);
  return Select(scratch->data(), static_cast<int64_t>(scratch->size()), k, *highest);
}

void AtLeast(const float* x, int64_t count, float cutoff, std::vector<int32_t>* indices) {
  // Room for all is not cleared for every call.
  thread_local std::vector<int32_t> room;
  const int64_t needed = count + HWY_DYNAMIC_DISPATCH(VectorLanes)();
  if (static_cast<int64_t>(room.size()) < needed) room.resize(static_cast<size_t>(needed));
  const int64_t found = HWY_DYNAMIC_DISPATCH(IndicesAtLeast)(x, count, cutoff, room.data());
  indices->assign(room.begin(), room.begin() + found);
}

}  // namespace ltri
#endif  // HWY_ONCE
