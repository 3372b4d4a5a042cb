#include "ops/local_probability.h"

#include <algorithm>
#include <vector>

#include "ops/cpu/key_runs.h"
#include "ops/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/local_probability.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Must follow highway.h.
#include "ops/cpu/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {

// to[i] += exp(scores[i] - lse), i < count.
void AddProbabilities(const float* HWY_RESTRICT scores, float lse, int64_t count, float* HWY_RESTRICT to) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto offset = hn::Set(tag, lse);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto e = ExpNegative(tag, hn::Sub(hn::LoadU(tag, scores + i), offset));
    hn::StoreU(hn::Add(hn::LoadU(tag, to + i), e), tag, to + i);
  }
  if (i < count) {
    const auto e = ExpNegative(tag, hn::Sub(LoadFirst(tag, scores + i, count - i), offset));
    StoreFirst(hn::Add(LoadFirst(tag, to + i, count - i), e), tag, to + i, count - i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {
namespace {

HWY_EXPORT(AddProbabilities);

constexpr int64_t kBandTile = 32;  // queries whose bands are multiplied at a time

// Kept by each thread from call to call.
struct Scratch {
  std::vector<float> q, keys, scores, sums;
};

}  // namespace

void SpanBand(ThreadPool& pool, const AttendArgs& args, const float* lse, int64_t width, float* band) {
  const int64_t d = args.head_dim;
  const int64_t local = KeyCount(args.groups[0].local);
  const int64_t stride = kQueryTile + width;
  pool.Run((args.queries + kQueryTile - 1) / kQueryTile, [&](int64_t task, int) {
    thread_local Scratch s;
    const int64_t first = task * kQueryTile;
    const int64_t queries = std::min(kQueryTile, args.queries - first);
    // Local index of the first query's own key, and the keys that the tile's bands cover.
    const int64_t own = local - args.queries + first;
    const int64_t begin = std::max<int64_t>(0, own - width);
    const int64_t count = own + queries - 1 - begin;
    Grow(s.keys, stride * d);
    // Sums are kept over keys, aligned with the scores, and turned into lags at the end.
    s.sums.assign(static_cast<size_t>(kQueryTile * stride), 0.0F);
    for (const HeadGroup& group : args.groups) {
      if (count <= 0) break;
      CopyKeys(group.local, d, begin, begin + count, args.rope, s.keys.data());
      // Few queries at a time, since their bands begin and end at different keys.
      for (int64_t part = 0; part < queries; part += kBandTile) {
        const int64_t part_queries = std::min(kBandTile, queries - part);
        // Counted from `begin`.
        const int64_t part_begin = std::max<int64_t>(0, own + part - width - begin);
        const int64_t part_count = own + part + part_queries - 1 - begin - part_begin;
        if (part_count <= 0) continue;
        const int64_t rows = group.heads * part_queries;
        Grow(s.q, rows * d);
        Grow(s.scores, rows * stride);
        CopyQueries(args, group, first + part, first + part + part_queries, -1, s.q.data());
        GemmTransposed(rows, part_count, d, 1.0F, s.q.data(), d, s.keys.data() + part_begin * d, d, 0.0F,
                       s.scores.data() + part_begin, stride);
        for (int64_t r = 0; r < rows; ++r) {
          const int64_t i = part + r % part_queries;
          const int64_t end = own + i - begin;  // keys before the query's own
          // A sliding window may begin within the band.
          const int64_t from = std::max({int64_t{0}, end - width, VisibleLocal(args, local, first + i).begin - begin});
          const float sum = lse[(group.first_head + r / part_queries) * args.queries + first + i];
          HWY_DYNAMIC_DISPATCH(AddProbabilities)
          (s.scores.data() + r * stride + from, sum, end - from, s.sums.data() + i * stride + from);
        }
      }
    }
    for (int64_t i = 0; i < queries; ++i) {
      float* row = band + (first + i) * width;
      const int64_t end = own + i - begin;
      for (int64_t lag = 1; lag <= width; ++lag) {
        row[lag - 1] = lag <= end ? s.sums[static_cast<size_t>(i * stride + end - lag)] : 0.0F;
      }
    }
  });
}

void ReceivedAttention(ThreadPool& pool, const AttendArgs& args, const float* lse, float* received) {
  const int64_t d = args.head_dim;
  const int64_t local = KeyCount(args.groups[0].local);
  const int64_t tiles = (local + kKeyTile - 1) / kKeyTile;
  pool.Run(static_cast<int64_t>(args.groups.size()) * tiles, [&](int64_t task, int) {
    thread_local Scratch s;
    const HeadGroup& group = args.groups[static_cast<size_t>(task / tiles)];
    const int64_t begin = task % tiles * kKeyTile;
    const int64_t count = std::min(kKeyTile, local - begin);
    Grow(s.keys, kKeyTile * d);
    CopyKeys(group.local, d, begin, begin + count, args.rope, s.keys.data());
    for (int64_t first = 0; first < args.queries; first += kQueryTile) {
      const int64_t queries = std::min(kQueryTile, args.queries - first);
      const int64_t rows = group.heads * queries;
      Grow(s.q, rows * d);
      Grow(s.scores, rows * kKeyTile);
      CopyQueries(args, group, first, first + queries, -1, s.q.data());
      GemmTransposed(rows, count, d, 1.0F, s.q.data(), d, s.keys.data(), d, 0.0F, s.scores.data(), kKeyTile);
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t head = group.first_head + r / queries;
        const int64_t query = first + r % queries;
        const KeyRange seen = VisibleLocal(args, local, query);
        const int64_t from = std::max<int64_t>(0, seen.begin - begin);
        const int64_t to = std::min(count, seen.end - begin);
        if (from >= to) continue;
        HWY_DYNAMIC_DISPATCH(AddProbabilities)
        (s.scores.data() + r * kKeyTile + from, lse[head * args.queries + query], to - from,
         received + head * local + begin + from);
      }
    }
  });
}

}  // namespace ltri
#endif  // HWY_ONCE
