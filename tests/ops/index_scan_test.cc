// IndexScan and AddSoftmaxVote.
#include "ops/index_scan.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/thread_pool.h"
#include "ops/vote.h"
#include "support/ops_reference.h"
#include "support/simd_targets.h"

namespace ltri {
namespace {

using testing::Operands;

void ExpectRight(Operands* any, int64_t spans, int64_t rows, int64_t head_dim) {
  std::vector<int64_t> first = {0};
  for (int64_t s = 0; s < spans; ++s) first.push_back(first.back() + any->Int(1, any->Int(0, 9) == 0 ? 300 : 6));
  std::vector<int8_t> vectors;
  std::vector<float> scales;
  for (int64_t v = 0; v < first.back(); ++v) {
    scales.push_back(0.01F + any->Float(0.009F));
    for (int64_t i = 0; i < head_dim; ++i) vectors.push_back(static_cast<int8_t>(any->Int(-127, 127)));
  }
  const std::vector<float> queries = any->Floats(rows * head_dim);
  const IndexView view = {vectors.data(), scales.data(), first.data(), spans};
  const std::vector<double> expected = testing::IndexScanReference(view, queries, head_dim, 0.3F);
  std::vector<float> one(expected.size(), -7.0F);
  std::vector<float> three(expected.size(), 9.0F);
  ThreadPool alone(1);
  ThreadPool team(3);
  IndexScan(alone, view, queries.data(), rows, head_dim, 0.3F, one.data());
  IndexScan(team, view, queries.data(), rows, head_dim, 0.3F, three.data());
  for (size_t i = 0; i < one.size(); ++i) ASSERT_NEAR(one[i], expected[i], 2e-5) << "row and span " << i;
  EXPECT_EQ(one, three) << "three threads change the result";
}

TEST(IndexScanTest, EqualsPlainLoops) {
  testing::ForEachSimdTarget([] {
    Operands any(1);
    for (const int64_t spans : {1, 5, 127, 128, 129, 400}) {
      for (const int64_t rows : {1, 3, 8, 9, 21}) {
        ExpectRight(&any, spans, rows, std::vector<int64_t>{1, 8, 19, 64}[static_cast<size_t>(any.Int(0, 3))]);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

TEST(VoteTest, EqualsPlainLoops) {
  testing::ForEachSimdTarget([] {
    Operands any(2);
    for (const int64_t count : {1, 2, 7, 8, 31, 500}) {
      for (const bool by_entropy : {false, true}) {
        for (const float spread : {0.0F, 1.0F, 30.0F, 300.0F}) {
          std::vector<float> relevance = any.Floats(count, spread);
          const std::vector<double> expected = testing::VoteReference(relevance, 1.7, by_entropy);
          std::vector<float> votes(relevance.size(), 0.5F);
          AddSoftmaxVote(relevance.data(), count, 1.7F, by_entropy, votes.data());
          for (size_t i = 0; i < votes.size(); ++i) ASSERT_NEAR(votes[i], 0.5 + expected[i], 3e-6) << count;
        }
      }
    }
  });
}

TEST(VoteTest, NoSpansNoVotes) {
  float votes = 2.0F;
  AddSoftmaxVote(nullptr, 0, 1.0F, true, &votes);
  EXPECT_EQ(votes, 2.0F);
}

}  // namespace
}  // namespace ltri
