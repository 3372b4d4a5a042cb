// Walking over the runs of a head group, and copying keys and values out of them.
#ifndef LTRI_OPS_CPU_KEY_RUNS_H_
#define LTRI_OPS_CPU_KEY_RUNS_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "ops/attend.h"
#include "ops/convert.h"

namespace ltri {

// What a task multiplies at a time: its scores stay in the second-level cache.
constexpr int64_t kQueryTile = 64;
constexpr int64_t kKeyTile = 256;

// Scratch that threads keep from call to call only grows: a fresh megabyte would be cleared page by page.
inline void Grow(std::vector<float>& buffer, int64_t size) {
  if (static_cast<int64_t>(buffer.size()) < size) buffer.resize(static_cast<size_t>(size));
}

inline int64_t KeyCount(std::span<const KeyRun> runs) {
  int64_t count = 0;
  for (const KeyRun& run : runs) count += run.count;
  return count;
}

// Calls visit(part, offset) for the parts of `runs` that cover keys [begin, end); offset counts from begin.
template <typename Visit>
void ForKeys(std::span<const KeyRun> runs, int64_t head_dim, int64_t begin, int64_t end, Visit&& visit) {
  int64_t first = 0;
  for (const KeyRun& run : runs) {
    const int64_t from = std::max(begin, first);
    const int64_t to = std::min(end, first + run.count);
    if (from < to) {
      const int64_t skip = from - first;
      visit(KeyRun{run.keys + skip * head_dim, run.values + skip * head_dim, to - from, run.position + skip},
            from - begin);
    }
    first += run.count;
    if (first >= end) break;
  }
}

// Keys [begin, end) of `runs` as floats, turned to their positions unless rope is null. out: [end - begin, head_dim].
inline void CopyKeys(const std::vector<KeyRun>& runs, int64_t head_dim, int64_t begin, int64_t end,
                     const RopeTable* rope, float* out) {
  ForKeys(runs, head_dim, begin, end, [&](const KeyRun& part, int64_t offset) {
    if (rope != nullptr) {
      RotateKeys(*rope, part.keys, part.count, head_dim, part.position, out + offset * head_dim);
    } else {
      HalfToFloat(part.keys, part.count * head_dim, out + offset * head_dim);
    }
  });
}

inline void CopyValues(const std::vector<KeyRun>& runs, int64_t head_dim, int64_t begin, int64_t end, float* out) {
  ForKeys(runs, head_dim, begin, end, [&](const KeyRun& part, int64_t offset) {
    HalfToFloat(part.values, part.count * head_dim, out + offset * head_dim);
  });
}

// Queries [begin, end) of the heads of a group, turned and scaled, head by head. out: [heads, end - begin, head_dim].
// distance >= 0: all turned to that one position.
inline void CopyQueries(const AttendArgs& args, const HeadGroup& group, int64_t begin, int64_t end, int64_t distance,
                        float* out) {
  for (int64_t h = group.first_head; h < group.first_head + group.heads; ++h) {
    for (int64_t i = begin; i < end; ++i, out += args.head_dim) {
      RotateQuery(*args.rope, args.q + (i * args.heads + h) * args.head_dim, args.head_dim,
                  distance >= 0 ? distance : args.query_position + i, args.scale, out);
    }
  }
}

// The local keys [begin, end) that query i sees, given `keys` local keys in all.
struct KeyRange {
  int64_t begin = 0;
  int64_t end = 0;
};
inline KeyRange VisibleLocal(const AttendArgs& args, int64_t keys, int64_t i) {
  const int64_t end = keys - args.queries + i + 1;
  return {args.sliding_window > 0 ? std::max<int64_t>(0, end - args.sliding_window) : 0, end};
}

}  // namespace ltri

#endif  // LTRI_OPS_CPU_KEY_RUNS_H_
