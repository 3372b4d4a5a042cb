#include "ops/attend.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/thread_pool.h"
#include "support/ops_reference.h"
#include "support/random_attention.h"
#include "support/simd_targets.h"

namespace ltri {
namespace {

using testing::AttendReference;
using testing::AttentionReference;
using testing::AttentionShape;
using testing::RandomAttention;

struct Output {
  std::vector<float> out, lse;
  bool operator==(const Output&) const = default;
};

Output Compute(const AttendArgs& args, int threads) {
  ThreadPool pool(threads);
  Output result;
  result.out.resize(static_cast<size_t>(args.queries * args.heads * args.head_dim), -7.0F);
  result.lse.resize(static_cast<size_t>(args.queries * args.heads), -7.0F);
  Attend(pool, args, result.out.data(), result.lse.data());
  return result;
}

void ExpectRight(const AttentionShape& shape, uint64_t seed) {
  const RandomAttention problem(shape, seed);
  const AttentionReference expected = AttendReference(problem.args, problem.rope);
  const Output actual = Compute(problem.args, 1);
  for (size_t i = 0; i < actual.out.size(); ++i) ASSERT_NEAR(actual.out[i], expected.out[i], 3e-5) << "out " << i;
  for (size_t i = 0; i < actual.lse.size(); ++i) ASSERT_NEAR(actual.lse[i], expected.lse[i], 3e-5) << "lse " << i;
  EXPECT_TRUE(actual == Compute(problem.args, 3)) << "three threads change the result";
}

TEST(AttendTest, EqualsPlainLoopsOnRandomShapes) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    ExpectRight(testing::RandomShape(seed), seed);
    if (HasFatalFailure()) return;
  }
}

TEST(AttendTest, EveryInstructionSetIsRight) {
  testing::ForEachSimdTarget([] {
    for (uint64_t seed = 100; seed < 110; ++seed) {
      SCOPED_TRACE(seed);
      ExpectRight(testing::RandomShape(seed), seed);
      if (HasFatalFailure()) return;
    }
  });
}

// More keys than are turned to floats at a time, for blocks and for single queries.
TEST(AttendTest, ManyKeysAreStaged) {
  for (const int64_t queries : {1, 9}) {
    AttentionShape shape;
    shape.queries = queries;
    shape.groups = 2;
    shape.heads = 2;
    shape.head_dim = 8;
    shape.rope_dims = 8;
    shape.far = 9000;
    shape.before = 4500;
    ExpectRight(shape, 5);
    shape.sliding_window = 4300;
    ExpectRight(shape, 6);
  }
}

// Scores far apart: most keys weigh nothing, and nothing overflows.
TEST(AttendTest, LargeScoresStayFinite) {
  for (const int64_t queries : {1, 20}) {
    AttentionShape shape;
    shape.queries = queries;
    shape.heads = 3;
    shape.far = 300;
    shape.before = 300;
    RandomAttention problem(shape, 8);
    problem.args.scale = 60.0F;
    const AttentionReference expected = AttendReference(problem.args, problem.rope);
    const Output actual = Compute(problem.args, 2);
    // A score of 1,000 is exact to 1e-4, so probabilities are to a few of those.
    for (size_t i = 0; i < actual.out.size(); ++i) ASSERT_NEAR(actual.out[i], expected.out[i], 2e-3);
    for (size_t i = 0; i < actual.lse.size(); ++i) ASSERT_NEAR(actual.lse[i], expected.lse[i], 2e-3);
  }
}

}  // namespace
}  // namespace ltri
