// Attention of few queries: memory is the limit, so keys and values are read once, as they lie in the store, and all
// query heads of a group use them while they are in registers.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "ops/cpu/attend.h"
#include "ops/cpu/key_runs.h"

// Vectors without a fixed size cannot stand in arrays; such CPUs take the fixed-size target.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/attend_single.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Must follow highway.h.
#include "ops/cpu/softmax-inl.h"
#include "ops/cpu/sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {

// Accumulators that leave registers for what they accumulate.
#if HWY_ARCH_ARM_A64 || HWY_TARGET <= HWY_AVX3
constexpr int64_t kAccumulators = 16;
#else
constexpr int64_t kAccumulators = 8;
#endif
constexpr int64_t kKeys = 4;  // scored together: one shuffle adds up the lanes of all

template <class Tag>
HWY_INLINE hn::Vec<Tag> LoadHalf(Tag tag, const Half* from) {
  const hn::Rebind<hwy::float16_t, Tag> narrow;
  return hn::PromoteTo(tag, hn::LoadU(narrow, reinterpret_cast<const hwy::float16_t*>(from)));
}

// Consecutive keys. angles: of each key, [count, cos x half | sin x half]; half: 0 if keys are not turned.
struct Keys {
  const Half* keys;
  int64_t count;
  int64_t head_dim;
  const float* angles;
  int64_t half;
};

// scores[h * stride + u] = q[h] . (key first + u, turned), u < kKeys. q: [kHeads, head_dim]. half and
// head_dim - 2 half are whole vectors. Behind the last key, it is taken again.
template <class Tag, int64_t kHeads>
HWY_INLINE void ScoreFour(Tag tag, const Keys& from, int64_t first, const float* HWY_RESTRICT q,
                          float* HWY_RESTRICT scores, int64_t stride) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const int64_t half = from.half;
  const int64_t d = from.head_dim;
  const Half* keys[kKeys];
  const float* angles[kKeys];
  hn::Vec<Tag> sums[kHeads][kKeys];
  for (int64_t u = 0; u < kKeys; ++u) {
    const int64_t key = HWY_MIN(first + u, from.count - 1);
    keys[u] = from.keys + key * d;
    angles[u] = from.angles + key * 2 * half;
    for (int64_t h = 0; h < kHeads; ++h) sums[h][u] = hn::Zero(tag);
  }
  for (int64_t i = 0; i < half; i += lanes) {
    for (int64_t u = 0; u < kKeys; ++u) {
      const auto a = LoadHalf(tag, keys[u] + i);
      const auto b = LoadHalf(tag, keys[u] + half + i);
      const auto c = hn::LoadU(tag, angles[u] + i);
      const auto s = hn::LoadU(tag, angles[u] + half + i);
      const auto x = hn::NegMulAdd(b, s, hn::Mul(a, c));
      const auto y = hn::MulAdd(b, c, hn::Mul(a, s));
      for (int64_t h = 0; h < kHeads; ++h) {
        sums[h][u] = hn::MulAdd(hn::LoadU(tag, q + h * d + i), x, sums[h][u]);
        sums[h][u] = hn::MulAdd(hn::LoadU(tag, q + h * d + half + i), y, sums[h][u]);
      }
    }
  }
  for (int64_t i = 2 * half; i < d; i += lanes) {
    for (int64_t u = 0; u < kKeys; ++u) {
      const auto x = LoadHalf(tag, keys[u] + i);
      for (int64_t h = 0; h < kHeads; ++h) sums[h][u] = hn::MulAdd(hn::LoadU(tag, q + h * d + i), x, sums[h][u]);
    }
  }
  for (int64_t h = 0; h < kHeads; ++h) StoreSums(tag, sums[h], scores + h * stride);
}

template <class Tag, int64_t kHeads = kAccumulators / kKeys>
void ScoreHeads(const Keys& keys, const float* q, int64_t heads, float* scores, int64_t stride) {
  for (; heads >= kHeads; heads -= kHeads, q += kHeads * keys.head_dim, scores += kHeads * stride) {
    int64_t i = 0;
    for (; i + kKeys <= keys.count; i += kKeys) ScoreFour<Tag, kHeads>(Tag(), keys, i, q, scores + i, stride);
    if (i == keys.count) continue;
    float last[kHeads * kKeys];
    ScoreFour<Tag, kHeads>(Tag(), keys, i, q, last, kKeys);
    for (int64_t h = 0; h < kHeads; ++h) std::copy_n(last + h * kKeys, keys.count - i, scores + h * stride + i);
  }
  if constexpr (kHeads > 1) {
    if (heads > 0) ScoreHeads<Tag, kHeads - 1>(keys, q, heads, scores, stride);
  }
}

// scores[h * stride + i] = q[h] . (key i, turned by its angles). Vectors are as wide as the dimensions allow.
void Scores(const Half* from, int64_t count, int64_t head_dim, const float* angles, int64_t half, const float* q,
            int64_t heads, float* scores, int64_t stride) {
  const Keys keys{from, count, head_dim, angles, half};
  const auto fits = [&](int64_t lanes) { return half % lanes == 0 && head_dim % lanes == 0; };
  if (fits(hn::MaxLanes(FloatTag()))) return ScoreHeads<FloatTag>(keys, q, heads, scores, stride);
  using Quad = hn::CappedTag<float, 4>;
  if (fits(hn::MaxLanes(Quad()))) return ScoreHeads<Quad>(keys, q, heads, scores, stride);
  ScoreHeads<hn::CappedTag<float, 1>>(keys, q, heads, scores, stride);
}

// out[h][0, kVectors * lanes) += sum over i of p[h * stride + i] * values[i].
template <class Tag, int64_t kHeads, int64_t kVectors>
HWY_INLINE void SumColumns(const float* HWY_RESTRICT p, int64_t stride, const Half* HWY_RESTRICT values, int64_t count,
                           int64_t head_dim, float* HWY_RESTRICT out) {
  const Tag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  hn::Vec<Tag> sums[kHeads][kVectors];
  for (int64_t h = 0; h < kHeads; ++h) {
    for (int64_t v = 0; v < kVectors; ++v) sums[h][v] = hn::LoadU(tag, out + h * head_dim + v * lanes);
  }
  for (int64_t i = 0; i < count; ++i) {
    hn::Vec<Tag> value[kVectors];
    for (int64_t v = 0; v < kVectors; ++v) value[v] = LoadHalf(tag, values + i * head_dim + v * lanes);
    for (int64_t h = 0; h < kHeads; ++h) {
      const auto weight = hn::Set(tag, p[h * stride + i]);
      for (int64_t v = 0; v < kVectors; ++v) sums[h][v] = hn::MulAdd(weight, value[v], sums[h][v]);
    }
  }
  for (int64_t h = 0; h < kHeads; ++h) {
    for (int64_t v = 0; v < kVectors; ++v) hn::StoreU(sums[h][v], tag, out + h * head_dim + v * lanes);
  }
}

template <class Tag, int64_t kHeads = 4>
void SumHeads(const float* p, int64_t stride, int64_t heads, const Half* values, int64_t count, int64_t head_dim,
              float* out) {
  constexpr int64_t kVectors = kAccumulators / 4;
  const auto lanes = static_cast<int64_t>(hn::Lanes(Tag()));
  for (; heads >= kHeads; heads -= kHeads, p += kHeads * stride, out += kHeads * head_dim) {
    int64_t j = 0;
    for (; j + kVectors * lanes <= head_dim; j += kVectors * lanes) {
      SumColumns<Tag, kHeads, kVectors>(p, stride, values + j, count, head_dim, out + j);
    }
    for (; j < head_dim; j += lanes) SumColumns<Tag, kHeads, 1>(p, stride, values + j, count, head_dim, out + j);
  }
  if constexpr (kHeads > 1) {
    if (heads > 0) SumHeads<Tag, kHeads - 1>(p, stride, heads, values, count, head_dim, out);
  }
}

// out[h] += sum over i of p[h * stride + i] * values[i].
void WeightedSum(const float* p, int64_t stride, int64_t heads, const KeyRun& part, int64_t head_dim, float* out) {
  const auto fits = [&](int64_t lanes) { return head_dim % lanes == 0; };
  if (fits(hn::MaxLanes(FloatTag())))
    return SumHeads<FloatTag>(p, stride, heads, part.values, part.count, head_dim, out);
  using Quad = hn::CappedTag<float, 4>;
  if (fits(hn::MaxLanes(Quad()))) return SumHeads<Quad>(p, stride, heads, part.values, part.count, head_dim, out);
  SumHeads<hn::CappedTag<float, 1>>(p, stride, heads, part.values, part.count, head_dim, out);
}

// In place softmax numerators of s[0, count); returns the maximum and, through sum, their sum.
float Numerators(float* s, int64_t count, float* sum) {
  const float top = RowMax(s, count);
  *sum = RowExp(s, count, top);
  return top;
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {
namespace {

HWY_EXPORT(Scores);
HWY_EXPORT(WeightedSum);
HWY_EXPORT(Numerators);

// Keys a task attends to. The split does not depend on the number of threads, so neither does the result.
constexpr int64_t kChunk = 512;

struct Task {
  int64_t query;
  int64_t group;
  bool far;
  std::span<const KeyRun> runs;  // from the one that holds the first key on
  KeyRange keys;                 // counted from the first of `runs`
};

// Memory of a call, kept for the next one.
struct Workspace {
  std::vector<Task> tasks;
  std::vector<float> partials;  // [tasks, most heads, head_dim + 2]: weighted values, maximum and sum of a softmax
};

// Asks for the memory of a run: by itself the hardware stops at the end of a page, and runs are short.
void Prefetch(const Half* at, int64_t halves) {
  for (int64_t i = 0; i < halves; i += 32) __builtin_prefetch(at + i);
}

// Scores of the keys of one task.
//
// Only distances matter: when the query is turned by its distance from a position a little before a key, the key needs
// to be turned only by how far it stands behind that position. These few angles stay in the first cache, which the
// whole table would not.
class Scorer {
 public:
  // q: [heads of the group, head_dim], scratch.
  Scorer(const AttendArgs& args, const Task& task, float* q)
      : args_(args), task_(task), group_(args.groups[static_cast<size_t>(task.group)]), q_(q) {
    clamp_ = task.far && args.far_distance >= 0;
    if (clamp_) CopyQueries(args_, group_, task_.query, task_.query + 1, args.far_distance, q_);
  }

  // scores: [heads, kChunk], of the run's keys.
  void Run(const KeyRun& run, float* scores) {
    if (clamp_) return Score(run.keys, run.count, nullptr, 0, scores);
    for (int64_t i = 0; i < run.count;) {
      const int64_t behind = (run.position + i) % kTurned;
      TurnQuery(run.position + i - behind);
      const int64_t count = std::min(kTurned - behind, run.count - i);
      Score(run.keys + i * args_.head_dim, count, args_.rope->Row(behind), args_.rope->dims() / 2, scores + i);
      i += count;
    }
  }

 private:
  static constexpr int64_t kTurned = 64;

  void TurnQuery(int64_t origin) {
    if (origin == origin_) return;
    origin_ = origin;
    const int64_t distance = args_.query_position + task_.query - origin;
    CopyQueries(args_, group_, task_.query, task_.query + 1, distance, q_);
  }

  void Score(const Half* keys, int64_t count, const float* angles, int64_t half, float* scores) {
    HWY_DYNAMIC_DISPATCH(Scores)(keys, count, args_.head_dim, angles, half, q_, group_.heads, scores, kChunk);
  }

  const AttendArgs& args_;
  const Task& task_;
  const HeadGroup& group_;
  float* q_;
  bool clamp_ = false;
  int64_t origin_ = -1;  // the query is turned for keys behind this position
};

// Attention of one query and group over one chunk: what remains is merged by log-sum-exp. partial: [heads, d + 2].
void AttendChunk(const AttendArgs& args, const Task& task, float* partial) {
  thread_local std::vector<float> scratch;
  const HeadGroup& group = args.groups[static_cast<size_t>(task.group)];
  const int64_t d = args.head_dim;
  const int64_t count = task.keys.end - task.keys.begin;
  Grow(scratch, group.heads * (2 * d + kChunk));
  float* q = scratch.data();
  float* out = q + group.heads * d;
  float* scores = out + group.heads * d;
  Scorer scorer(args, task, q);
  ForKeys(task.runs, d, task.keys.begin, task.keys.end,
          [&](const KeyRun& part, int64_t /*offset*/) { Prefetch(part.keys, part.count * d); });
  ForKeys(task.runs, d, task.keys.begin, task.keys.end, [&](const KeyRun& part, int64_t offset) {
    Prefetch(part.values, part.count * d);
    scorer.Run(part, scores + offset);
  });
  std::fill_n(out, group.heads * d, 0.0F);
  for (int64_t h = 0; h < group.heads; ++h) {
    float* state = partial + h * (d + 2) + d;
    state[0] = HWY_DYNAMIC_DISPATCH(Numerators)(scores + h * kChunk, count, &state[1]);
  }
  ForKeys(task.runs, d, task.keys.begin, task.keys.end, [&](const KeyRun& part, int64_t offset) {
    HWY_DYNAMIC_DISPATCH(WeightedSum)(scores + offset, kChunk, group.heads, part, d, out);
  });
  for (int64_t h = 0; h < group.heads; ++h) std::copy_n(out + h * d, d, partial + h * (d + 2));
}

void SplitKeys(const AttendArgs& args, std::vector<Task>* tasks) {
  tasks->clear();
  const auto split = [&](int64_t query, int64_t group, bool far, KeyRange keys) {
    const HeadGroup& heads = args.groups[static_cast<size_t>(group)];
    std::span<const KeyRun> runs = far ? heads.far : heads.local;
    int64_t before = 0;  // keys before `runs`
    for (int64_t at = keys.begin; at < keys.end; at += kChunk) {
      for (; before + runs.front().count <= at; runs = runs.subspan(1)) before += runs.front().count;
      tasks->push_back({query, group, far, runs, {at - before, std::min(keys.end, at + kChunk) - before}});
    }
  };
  for (int64_t i = 0; i < args.queries; ++i) {
    for (int64_t g = 0; g < static_cast<int64_t>(args.groups.size()); ++g) {
      const HeadGroup& group = args.groups[static_cast<size_t>(g)];
      split(i, g, /*far=*/true, {0, KeyCount(group.far)});
      split(i, g, /*far=*/false, VisibleLocal(args, KeyCount(group.local), i));
    }
  }
}

// One softmax over all chunks of a (query, head). partials: the head's in the first of `count` chunks, `stride` apart.
void Merge(const float* partials, int64_t stride, int64_t count, int64_t head_dim, float* out, float* lse) {
  float top = -std::numeric_limits<float>::infinity();
  for (int64_t t = 0; t < count; ++t) top = std::max(top, partials[t * stride + head_dim]);
  std::fill_n(out, head_dim, 0.0F);
  float sum = 0;
  for (int64_t t = 0; t < count; ++t) {
    const float* partial = partials + t * stride;
    const float factor = std::exp(partial[head_dim] - top);
    sum += factor * partial[head_dim + 1];
    for (int64_t j = 0; j < head_dim; ++j) out[j] += factor * partial[j];
  }
  for (int64_t j = 0; j < head_dim; ++j) out[j] /= sum;
  if (lse != nullptr) *lse = top + std::log(sum);
}

}  // namespace

void AttendSingle(ThreadPool& pool, const AttendArgs& args, float* out, float* lse) {
  thread_local Workspace workspace;
  Workspace& work = workspace;  // the caller's, also in the tasks below
  SplitKeys(args, &work.tasks);
  const auto tasks = static_cast<int64_t>(work.tasks.size());
  int64_t most_heads = 0;
  for (const HeadGroup& group : args.groups) most_heads = std::max(most_heads, group.heads);
  const int64_t d = args.head_dim;
  const int64_t stride = most_heads * (d + 2);
  Grow(work.partials, tasks * stride);
  pool.Run(tasks, [&](int64_t i, int) {
    AttendChunk(args, work.tasks[static_cast<size_t>(i)], work.partials.data() + i * stride);
  });
  // Tasks of one (query, group) follow each other.
  for (int64_t first = 0; first < tasks;) {
    const Task& task = work.tasks[static_cast<size_t>(first)];
    int64_t last = first;
    while (last < tasks && work.tasks[static_cast<size_t>(last)].query == task.query &&
           work.tasks[static_cast<size_t>(last)].group == task.group) {
      ++last;
    }
    const HeadGroup& group = args.groups[static_cast<size_t>(task.group)];
    for (int64_t h = 0; h < group.heads; ++h) {
      const int64_t head = group.first_head + h;
      Merge(work.partials.data() + first * stride + h * (d + 2), stride, last - first, d,
            out + (task.query * args.heads + head) * d,
            lse == nullptr ? nullptr : lse + head * args.queries + task.query);
    }
    first = last;
  }
}

}  // namespace ltri
#endif  // HWY_ONCE
