// A step of attention with random shapes, runs and operands.
#ifndef LTRI_TESTS_SUPPORT_RANDOM_ATTENTION_H_
#define LTRI_TESTS_SUPPORT_RANDOM_ATTENTION_H_

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "ops/attend.h"
#include "support/ops_reference.h"

namespace ltri::testing {

struct AttentionShape {
  int64_t queries = 1;
  int64_t groups = 1;
  int64_t heads = 1;  // of a group
  int64_t head_dim = 16;
  int64_t rope_dims = 16;
  int64_t far = 0;     // at most so many far keys a group
  int64_t before = 0;  // local keys before the step's own
  int64_t far_distance = -1;
  int64_t sliding_window = 0;
};

// Owns what the arguments point to. Not to be moved.
class RandomAttention {
 public:
  RandomAttention(const AttentionShape& shape, uint64_t seed) : operands_(seed) {
    rope.dims = shape.rope_dims;
    table_ = std::make_unique<RopeTable>(rope, false);
    table_->Reserve(16384);
    args.queries = shape.queries;
    args.heads = shape.groups * shape.heads;
    args.head_dim = shape.head_dim;
    args.scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim));
    args.rope = table_.get();
    q_ = operands_.Floats(shape.queries * args.heads * shape.head_dim, 2.0F);
    args.q = q_.data();
    args.far_distance = shape.far_distance;
    args.sliding_window = shape.sliding_window;
    const int64_t local = shape.before + shape.queries;
    const int64_t local_position = shape.far + operands_.Int(0, 3000);
    args.query_position = local_position + shape.before;
    groups_.resize(static_cast<size_t>(shape.groups));
    int64_t head = 0;
    for (HeadGroup& group : groups_) {
      group.first_head = head;
      group.heads = shape.heads;
      head += shape.heads;
      AddRuns(shape.far > 0 ? operands_.Int(0, shape.far) : 0, local_position, /*far=*/true, &group.far);
      AddRuns(local, local_position, /*far=*/false, &group.local);
    }
    args.groups = groups_;
  }
  RandomAttention(const RandomAttention&) = delete;
  RandomAttention& operator=(const RandomAttention&) = delete;

  AttendArgs args;
  RopeConfig rope;

 private:
  // Splits `count` keys into runs: far ones somewhere before `position`, local ones one after the other from there.
  void AddRuns(int64_t count, int64_t position, bool far, std::vector<KeyRun>* runs) {
    while (count > 0) {
      const int64_t n = operands_.Int(1, count);
      keys_.push_back(operands_.Halves(n * args.head_dim, 2.0F));
      values_.push_back(operands_.Halves(n * args.head_dim));
      runs->push_back({keys_.back().data(), values_.back().data(), n, far ? operands_.Int(0, position - n) : position});
      count -= n;
      if (!far) position += n;
    }
  }

  Operands operands_;
  std::unique_ptr<RopeTable> table_;
  std::vector<float> q_;
  std::vector<std::vector<Half>> keys_, values_;
  std::vector<HeadGroup> groups_;
};

// Shapes with tails everywhere: single queries and blocks, odd head sizes, windows, clamped distances.
inline AttentionShape RandomShape(uint64_t seed) {
  Operands any(seed);
  AttentionShape shape;
  shape.queries = any.Int(0, 2) == 0 ? any.Int(1, 7) : any.Int(8, 90);
  shape.groups = any.Int(1, 3);
  shape.heads = any.Int(1, 6);
  const int64_t dims[] = {2, 6, 8, 16, 20, 33, 64, 72};
  shape.head_dim = dims[any.Int(0, 7)];
  shape.rope_dims = any.Int(0, 2) == 0 ? any.Int(1, shape.head_dim / 2) * 2 : shape.head_dim / 2 * 2;
  shape.far = any.Int(0, 3) == 0 ? 0 : any.Int(1, 700);
  shape.before = any.Int(0, 2) == 0 ? 0 : any.Int(1, 600);
  if (any.Int(0, 2) == 0) shape.far_distance = any.Int(0, 2000);
  if (any.Int(0, 2) == 0) shape.sliding_window = any.Int(1, 300);
  return shape;
}

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_RANDOM_ATTENTION_H_
