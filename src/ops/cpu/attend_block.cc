#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/cpu/attend.h"
#include "ops/cpu/key_runs.h"
#include "ops/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/attend_block.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Must follow highway.h.
#include "ops/cpu/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {

// One step of the running softmax of one row: s[begin, end) become exp(s - max), the rest of s[0, count) zero.
// max, sum: of the row so far, updated. out: [head_dim], what was summed so far, rescaled when the maximum rises.
void OnlineSoftmax(float* HWY_RESTRICT s, int64_t begin, int64_t end, int64_t count, float* max, float* sum,
                   float* HWY_RESTRICT out, int64_t head_dim) {
  if (begin >= end) {
    std::fill_n(s, count, 0.0F);
    return;
  }
  std::fill_n(s, begin, 0.0F);
  std::fill(s + end, s + count, 0.0F);
  const float top = HWY_MAX(*max, RowMax(s + begin, end - begin));
  if (top > *max) {
    const float factor = std::exp(*max - top);
    *sum *= factor;
    for (int64_t j = 0; j < head_dim; ++j) out[j] *= factor;
    *max = top;
  }
  *sum += RowExp(s + begin, end - begin, top);
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {
namespace {

HWY_EXPORT(OnlineSoftmax);

constexpr int64_t kStagedKeys = 4096;  // keys turned to floats at a time, for all groups

// Memory of a call, kept for the next one.
struct Workspace {
  std::vector<float> max, sum;      // [heads, queries]
  std::vector<float> keys, values;  // [groups, staged, head_dim]
};

// The state of one call: staged keys and values, and the running softmax of every (head, query).
class BlockAttention {
 public:
  BlockAttention(ThreadPool& pool, const AttendArgs& args, Workspace& workspace, float* out, float* lse)
      : pool_(pool),
        args_(args),
        out_(out),
        lse_(lse),
        max_(workspace.max),
        sum_(workspace.sum),
        keys_(workspace.keys),
        values_(workspace.values) {
    const auto rows = static_cast<size_t>(args.heads * args.queries);
    max_.assign(rows, -std::numeric_limits<float>::infinity());
    sum_.assign(rows, 0.0F);
    std::fill_n(out, args.queries * args.heads * args.head_dim, 0.0F);
    for (const HeadGroup& group : args.groups) most_heads_ = std::max(most_heads_, group.heads);
  }

  void Run() {
    int64_t most = 0;
    for (const HeadGroup& group : args_.groups) most = std::max(most, KeyCount(group.far));
    for (int64_t begin = 0; begin < most; begin += kStagedKeys) Stage(/*far=*/true, begin);
    most = args_.groups.empty() ? 0 : KeyCount(args_.groups[0].local);
    const int64_t first = VisibleLocal(args_, most, 0).begin;
    for (int64_t begin = first; begin < most; begin += kStagedKeys) Stage(/*far=*/false, begin);
    Finish();
  }

 private:
  const std::vector<KeyRun>& Runs(const HeadGroup& group, bool far) const { return far ? group.far : group.local; }

  // Turns up to kStagedKeys keys of every group to floats and lets all queries attend to them.
  void Stage(bool far, int64_t begin) {
    const int64_t d = args_.head_dim;
    const auto groups = static_cast<int64_t>(args_.groups.size());
    int64_t widest = 0;
    for (const HeadGroup& group : args_.groups) widest = std::max(widest, KeyCount(Runs(group, far)));
    const int64_t room = std::min(kStagedKeys, widest - begin);
    Grow(keys_, groups * room * d);
    Grow(values_, groups * room * d);
    const int64_t parts = (room + kKeyTile - 1) / kKeyTile;
    const RopeTable* rope = far && args_.far_distance >= 0 ? nullptr : args_.rope;
    pool_.Run(groups * parts, [&](int64_t task, int) {
      const std::vector<KeyRun>& runs = Runs(args_.groups[static_cast<size_t>(task / parts)], far);
      const int64_t from = task % parts * kKeyTile;
      const int64_t to = std::min({from + kKeyTile, room, KeyCount(runs) - begin});
      if (from >= to) return;
      const int64_t at = (task / parts * room + from) * d;
      CopyKeys(runs, d, begin + from, begin + to, rope, keys_.data() + at);
      CopyValues(runs, d, begin + from, begin + to, values_.data() + at);
    });
    const int64_t tiles = (args_.queries + kQueryTile - 1) / kQueryTile;
    // The last queries see the most keys, so they go first.
    pool_.Run(groups * tiles, [&](int64_t task, int) {
      thread_local Scratch scratch;
      AttendTile(task % groups, tiles - 1 - task / groups, far, begin, room, scratch);
    });
  }

  struct Scratch {
    std::vector<float> q, scores, out;
  };

  void AttendTile(int64_t g, int64_t tile, bool far, int64_t begin, int64_t room, Scratch& scratch) {
    const HeadGroup& group = args_.groups[static_cast<size_t>(g)];
    const int64_t d = args_.head_dim;
    const int64_t first = tile * kQueryTile;
    const int64_t queries = std::min(kQueryTile, args_.queries - first);
    const int64_t rows = group.heads * queries;
    const int64_t keys = KeyCount(Runs(group, far));
    // Keys that some query of the tile sees, counted from `begin`.
    KeyRange seen{0, keys - begin};
    if (!far) {
      seen.begin = VisibleLocal(args_, keys, first).begin - begin;
      seen.end = VisibleLocal(args_, keys, first + queries - 1).end - begin;
    }
    seen.begin = std::max<int64_t>(0, seen.begin);
    seen.end = std::min(room, seen.end);
    if (seen.begin >= seen.end) return;

    Grow(scratch.q, most_heads_ * kQueryTile * d);
    Grow(scratch.out, most_heads_ * kQueryTile * d);
    Grow(scratch.scores, most_heads_ * kQueryTile * kKeyTile);
    CopyQueries(args_, group, first, first + queries, far ? args_.far_distance : -1, scratch.q.data());
    MoveOut(group, first, queries, scratch.out.data(), /*load=*/true);
    for (int64_t at = seen.begin; at < seen.end; at += kKeyTile) {
      const int64_t count = std::min(kKeyTile, seen.end - at);
      const float* k = keys_.data() + (g * room + at) * d;
      const float* v = values_.data() + (g * room + at) * d;
      GemmTransposed(rows, count, d, 1.0F, scratch.q.data(), d, k, d, 0.0F, scratch.scores.data(), kKeyTile);
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t query = first + r % queries;
        KeyRange visible{0, count};
        if (!far) {
          visible = VisibleLocal(args_, keys, query);
          visible = {std::max<int64_t>(0, visible.begin - begin - at), std::min(count, visible.end - begin - at)};
        }
        const auto state = static_cast<size_t>((group.first_head + r / queries) * args_.queries + query);
        HWY_DYNAMIC_DISPATCH(OnlineSoftmax)
        (scratch.scores.data() + r * kKeyTile, visible.begin, visible.end, count, &max_[state], &sum_[state],
         scratch.out.data() + r * d, d);
      }
      Gemm(rows, d, count, 1.0F, scratch.scores.data(), kKeyTile, v, d, 1.0F, scratch.out.data(), d);
    }
    MoveOut(group, first, queries, scratch.out.data(), /*load=*/false);
  }

  // Copies a tile between out [queries, heads, head_dim] and [heads of the group, tile's queries, head_dim].
  void MoveOut(const HeadGroup& group, int64_t first, int64_t queries, float* tile, bool load) {
    for (int64_t h = 0; h < group.heads; ++h) {
      for (int64_t i = 0; i < queries; ++i, tile += args_.head_dim) {
        float* row = out_ + ((first + i) * args_.heads + group.first_head + h) * args_.head_dim;
        if (load) {
          std::copy_n(row, args_.head_dim, tile);
        } else {
          std::copy_n(tile, args_.head_dim, row);
        }
      }
    }
  }

  void Finish() {
    for (int64_t i = 0; i < args_.queries; ++i) {
      for (int64_t h = 0; h < args_.heads; ++h) {
        const auto state = static_cast<size_t>(h * args_.queries + i);
        const float scale = 1.0F / sum_[state];
        float* row = out_ + (i * args_.heads + h) * args_.head_dim;
        for (int64_t j = 0; j < args_.head_dim; ++j) row[j] *= scale;
        if (lse_ != nullptr) lse_[state] = max_[state] + std::log(sum_[state]);
      }
    }
  }

  ThreadPool& pool_;
  const AttendArgs& args_;
  float* out_;
  float* lse_;
  int64_t most_heads_ = 0;
  std::vector<float>&max_, &sum_, &keys_, &values_;
};

}  // namespace

void AttendBlock(ThreadPool& pool, const AttendArgs& args, float* out, float* lse) {
  thread_local Workspace workspace;
  BlockAttention(pool, args, workspace, out, lse).Run();
}

}  // namespace ltri
#endif  // HWY_ONCE
