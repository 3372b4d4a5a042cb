#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/cpu/attend.h"
#include "ops/cpu/key_runs.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/attend_single.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Must follow highway.h.
#include "ops/cpu/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {

HWY_INLINE float Dot(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int64_t count) {
  const FloatTag tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  auto sum = hn::Zero(tag);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) sum = hn::MulAdd(hn::LoadU(tag, a + i), hn::LoadU(tag, b + i), sum);
  float total = hn::GetLane(hn::SumOfLanes(tag, sum));
  for (; i < count; ++i) total += a[i] * b[i];
  return total;
}

// scores[h * stride + i] = q[h] . keys[i]. q: [heads, head_dim], keys: [count, head_dim].
void Scores(const float* HWY_RESTRICT q, int64_t heads, const float* HWY_RESTRICT keys, int64_t count, int64_t head_dim,
            float* HWY_RESTRICT scores, int64_t stride) {
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t h = 0; h < heads; ++h) scores[h * stride + i] = Dot(q + h * head_dim, keys + i * head_dim, head_dim);
  }
}

// out[h] += sum over i of p[h * stride + i] * values[i]. Four heads at a time share each load of a value.
void WeightedSum(const float* HWY_RESTRICT p, int64_t stride, int64_t heads, const Half* HWY_RESTRICT values,
                 int64_t count, int64_t head_dim, float* HWY_RESTRICT out) {
  const FloatTag tag;
  const hn::Rebind<hwy::float16_t, FloatTag> narrow;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto* half = reinterpret_cast<const hwy::float16_t*>(values);
  for (int64_t h = 0; h < heads; h += 4) {
    const int64_t n = HWY_MIN(int64_t{4}, heads - h);
    // Missing heads repeat the last one and are not stored.
    const float* w[4];
    for (int64_t u = 0; u < 4; ++u) w[u] = p + (h + HWY_MIN(u, n - 1)) * stride;
    int64_t j = 0;
    for (; j + lanes <= head_dim; j += lanes) {
      auto s0 = hn::Zero(tag);
      auto s1 = s0;
      auto s2 = s0;
      auto s3 = s0;
      for (int64_t i = 0; i < count; ++i) {
        const auto v = hn::PromoteTo(tag, hn::LoadU(narrow, half + i * head_dim + j));
        s0 = hn::MulAdd(hn::Set(tag, w[0][i]), v, s0);
        s1 = hn::MulAdd(hn::Set(tag, w[1][i]), v, s1);
        s2 = hn::MulAdd(hn::Set(tag, w[2][i]), v, s2);
        s3 = hn::MulAdd(hn::Set(tag, w[3][i]), v, s3);
      }
      const decltype(s0) sums[4] = {s0, s1, s2, s3};
      for (int64_t u = 0; u < n; ++u) {
        float* to = out + (h + u) * head_dim + j;
        hn::StoreU(hn::Add(hn::LoadU(tag, to), sums[u]), tag, to);
      }
    }
    for (; j < head_dim; ++j) {
      for (int64_t u = 0; u < n; ++u) {
        float sum = 0;
        for (int64_t i = 0; i < count; ++i) sum += w[u][i] * FloatFromHalf(values[i * head_dim + j]);
        out[(h + u) * head_dim + j] += sum;
      }
    }
  }
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
constexpr int64_t kTurned = 32;  // keys turned at a time; they stay in the first-level cache

// Attention of one query and group over one chunk: what remains is merged by log-sum-exp.
struct Partial {
  std::vector<float> max, sum, out;  // [heads], [heads], [heads, head_dim]
};

struct Task {
  int64_t query;
  int64_t group;
  bool far;
  KeyRange keys;
};

void AttendChunk(const AttendArgs& args, const Task& task, Partial& partial) {
  const HeadGroup& group = args.groups[static_cast<size_t>(task.group)];
  const int64_t d = args.head_dim;
  const int64_t count = task.keys.end - task.keys.begin;
  const std::vector<KeyRun>& runs = task.far ? group.far : group.local;
  const bool clamp = task.far && args.far_distance >= 0;
  std::vector<float> q(static_cast<size_t>(group.heads * d));
  std::vector<float> scores(static_cast<size_t>(group.heads * kChunk));
  std::vector<float> turned(static_cast<size_t>(kTurned * d));
  CopyQueries(args, group, task.query, task.query + 1, clamp ? args.far_distance : -1, q.data());
  for (int64_t at = 0; at < count; at += kTurned) {
    const int64_t n = std::min(kTurned, count - at);
    CopyKeys(runs, d, task.keys.begin + at, task.keys.begin + at + n, clamp ? nullptr : args.rope, turned.data());
    HWY_DYNAMIC_DISPATCH(Scores)(q.data(), group.heads, turned.data(), n, d, scores.data() + at, kChunk);
  }
  partial.max.resize(static_cast<size_t>(group.heads));
  partial.sum.resize(static_cast<size_t>(group.heads));
  partial.out.assign(static_cast<size_t>(group.heads * d), 0.0F);
  for (int64_t h = 0; h < group.heads; ++h) {
    const auto i = static_cast<size_t>(h);
    partial.max[i] = HWY_DYNAMIC_DISPATCH(Numerators)(scores.data() + h * kChunk, count, &partial.sum[i]);
  }
  ForKeys(runs, d, task.keys.begin, task.keys.end, [&](const KeyRun& part, int64_t offset) {
    HWY_DYNAMIC_DISPATCH(WeightedSum)
    (scores.data() + offset, kChunk, group.heads, part.values, part.count, d, partial.out.data());
  });
}

std::vector<Task> SplitKeys(const AttendArgs& args) {
  std::vector<Task> tasks;
  const auto split = [&](int64_t query, int64_t group, bool far, KeyRange keys) {
    for (int64_t at = keys.begin; at < keys.end; at += kChunk) {
      tasks.push_back({query, group, far, {at, std::min(keys.end, at + kChunk)}});
    }
  };
  for (int64_t i = 0; i < args.queries; ++i) {
    for (int64_t g = 0; g < static_cast<int64_t>(args.groups.size()); ++g) {
      const HeadGroup& group = args.groups[static_cast<size_t>(g)];
      split(i, g, /*far=*/true, {0, KeyCount(group.far)});
      split(i, g, /*far=*/false, VisibleLocal(args, KeyCount(group.local), i));
    }
  }
  return tasks;
}

}  // namespace

void AttendSingle(ThreadPool& pool, const AttendArgs& args, float* out, float* lse) {
  const std::vector<Task> tasks = SplitKeys(args);
  std::vector<Partial> partials(tasks.size());
  pool.Run(static_cast<int64_t>(tasks.size()),
           [&](int64_t i, int) { AttendChunk(args, tasks[static_cast<size_t>(i)], partials[static_cast<size_t>(i)]); });
  // Tasks of one (query, group) follow each other: merge them.
  const int64_t d = args.head_dim;
  for (size_t first = 0; first < tasks.size();) {
    size_t last = first;
    while (last < tasks.size() && tasks[last].query == tasks[first].query && tasks[last].group == tasks[first].group) {
      ++last;
    }
    const HeadGroup& group = args.groups[static_cast<size_t>(tasks[first].group)];
    for (int64_t h = 0; h < group.heads; ++h) {
      const auto ih = static_cast<size_t>(h);
      float top = -std::numeric_limits<float>::infinity();
      for (size_t t = first; t < last; ++t) top = std::max(top, partials[t].max[ih]);
      float* row = out + (tasks[first].query * args.heads + group.first_head + h) * d;
      std::fill_n(row, d, 0.0F);
      float sum = 0;
      for (size_t t = first; t < last; ++t) {
        const float factor = std::exp(partials[t].max[ih] - top);
        sum += factor * partials[t].sum[ih];
        for (int64_t j = 0; j < d; ++j) row[j] += factor * partials[t].out[static_cast<size_t>(h * d + j)];
      }
      for (int64_t j = 0; j < d; ++j) row[j] /= sum;
      if (lse != nullptr) lse[(group.first_head + h) * args.queries + tasks[first].query] = top + std::log(sum);
    }
    first = last;
  }
}

}  // namespace ltri
#endif  // HWY_ONCE
