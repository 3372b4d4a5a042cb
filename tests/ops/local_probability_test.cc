#include "ops/local_probability.h"

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
using testing::RandomAttention;

std::vector<float> Narrow(const std::vector<double>& wide) { return {wide.begin(), wide.end()}; }

// Bands of these widths and the received attention, by `threads` threads.
std::vector<std::vector<float>> Compute(const AttendArgs& args, const AttentionReference& reference,
                                        const std::vector<int64_t>& widths, int threads) {
  ThreadPool pool(threads);
  const std::vector<float> lse = Narrow(reference.lse);
  std::vector<std::vector<float>> results;
  for (const int64_t width : widths) {
    results.emplace_back(static_cast<size_t>(args.queries * width), -7.0F);
    SpanBand(pool, args, lse.data(), width, results.back().data());
  }
  results.emplace_back(static_cast<size_t>(args.heads * reference.local_keys), 2.0F);  // is added to
  ReceivedAttention(pool, args, lse.data(), results.back().data());
  return results;
}

void ExpectRight(uint64_t seed) {
  const RandomAttention problem(testing::RandomShape(seed), seed);
  const AttendArgs& args = problem.args;
  const AttentionReference reference = AttendReference(args, problem.rope);
  const std::vector<int64_t> widths = {1, 13, 128, 700};
  const auto actual = Compute(args, reference, widths, 1);
  for (size_t w = 0; w < widths.size(); ++w) {
    const std::vector<double> expected = reference.Band(args, widths[w]);
    for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(actual[w][i], expected[i], 3e-5) << widths[w] << ": " << i;
  }
  const std::vector<double> received = reference.Received(args);
  for (size_t i = 0; i < received.size(); ++i) ASSERT_NEAR(actual.back()[i], 2 + received[i], 1e-4) << i;
  EXPECT_TRUE(actual == Compute(args, reference, widths, 3)) << "three threads change the result";
}

TEST(LocalProbabilityTest, EqualsPlainLoopsOnRandomShapes) {
  for (uint64_t seed = 200; seed < 240; ++seed) {
    SCOPED_TRACE(seed);
    ExpectRight(seed);
    if (HasFatalFailure()) return;
  }
}

TEST(LocalProbabilityTest, EveryInstructionSetIsRight) {
  testing::ForEachSimdTarget([] {
    for (uint64_t seed = 300; seed < 306; ++seed) {
      SCOPED_TRACE(seed);
      ExpectRight(seed);
      if (HasFatalFailure()) return;
    }
  });
}

}  // namespace
}  // namespace ltri
