// A step of attention in the shape of SmolLM2-135M: recalled spans of a store, then what stands right before the step.
#ifndef LTRI_BENCH_ATTENTION_STEP_H_
#define LTRI_BENCH_ATTENTION_STEP_H_

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "ops/attend.h"
#include "support/ops_reference.h"
#include "weights/model_config.h"

namespace ltri {

inline constexpr int64_t kHeads = 9;
inline constexpr int64_t kKvHeads = 3;
inline constexpr int64_t kHeadDim = 64;

// Owns what the arguments point to. Not to be moved.
class AttentionStep {
 public:
  static constexpr int64_t kSpan = 17;  // tokens, about the mean of real texts

  // Every other of 2 * spans spans is recalled; `before` tokens stand between them and the `queries`.
  AttentionStep(int64_t queries, int64_t spans, int64_t before) {
    rope.dims = kHeadDim;
    table_ = std::make_unique<RopeTable>(rope, false);
    const int64_t local_position = 2 * spans * kSpan;
    const int64_t tokens = local_position + before + queries;
    table_->Reserve(tokens);
    testing::Operands any(1);
    keys_ = any.Halves(kKvHeads * tokens * kHeadDim, 2.0F);
    values_ = any.Halves(kKvHeads * tokens * kHeadDim);
    q_ = any.Floats(queries * kHeads * kHeadDim, 2.0F);
    for (int64_t h = 0; h < kKvHeads; ++h) {
      const auto run = [&](int64_t position, int64_t count) -> KeyRun {
        const int64_t at = (h * tokens + position) * kHeadDim;
        return {keys_.data() + at, values_.data() + at, count, position};
      };
      HeadGroup& group = groups_.emplace_back();
      group.heads = kHeads / kKvHeads;
      group.first_head = h * group.heads;
      for (int64_t s = 0; s < spans; ++s) group.far.push_back(run(2 * s * kSpan, kSpan));
      group.local.push_back(run(local_position, before + queries));
    }
    args.queries = queries;
    args.heads = kHeads;
    args.head_dim = kHeadDim;
    args.scale = 1.0F / std::sqrt(static_cast<float>(kHeadDim));
    args.rope = table_.get();
    args.q = q_.data();
    args.query_position = local_position + before;
    args.groups = groups_;
    out.resize(q_.size());
    lse.resize(static_cast<size_t>(queries * kHeads));
  }
  AttentionStep(const AttentionStep&) = delete;
  AttentionStep& operator=(const AttentionStep&) = delete;

  int64_t local_keys() const { return groups_[0].local[0].count; }
  int64_t keys() const { return static_cast<int64_t>(groups_[0].far.size()) * kSpan + local_keys(); }
  // Of keys and values that the step looks at.
  int64_t bytes() const { return keys() * kKvHeads * kHeadDim * 2 * static_cast<int64_t>(sizeof(Half)); }

  RopeConfig rope;
  AttendArgs args;
  std::vector<float> out;  // [queries, heads, head_dim]
  std::vector<float> lse;  // [heads, queries]

 private:
  std::unique_ptr<RopeTable> table_;
  std::vector<Half> keys_, values_;  // [kv heads, tokens, head_dim]
  std::vector<float> q_;
  std::vector<HeadGroup> groups_;
};

}  // namespace ltri

#endif  // LTRI_BENCH_ATTENTION_STEP_H_
