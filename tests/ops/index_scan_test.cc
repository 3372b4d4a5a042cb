// IndexScan and SoftmaxWithEntropy.
#include "ops/index_scan.h"

#include <gtest/gtest.h>

#include <vector>

#include "ops/vote.h"
#include "support/ops_reference.h"
#include "support/simd_targets.h"

namespace ltri {
namespace {

using testing::Operands;

void ExpectRight(Operands* any, int64_t count, int64_t rows, int64_t head_dim) {
  std::vector<int8_t> vectors;
  std::vector<float> scales;
  for (int64_t v = 0; v < count; ++v) {
    scales.push_back(0.01F + any->Float(0.009F));
    for (int64_t i = 0; i < head_dim; ++i) vectors.push_back(static_cast<int8_t>(any->Int(-127, 127)));
  }
  const std::vector<float> queries = any->Floats(rows * head_dim);
  const IndexView view = {vectors.data(), scales.data(), count};
  const std::vector<double> expected = testing::IndexScanReference(view, queries, head_dim, 0.3F);
  const int64_t stride = count + 3;
  std::vector<float> dots(static_cast<size_t>(rows * stride), -7.0F);
  IndexScan(view, queries.data(), rows, head_dim, 0.3F, dots.data(), stride);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t v = 0; v < stride; ++v) {
      const float dot = dots[static_cast<size_t>(r * stride + v)];
      if (v < count) {
        ASSERT_NEAR(dot, expected[static_cast<size_t>(r * count + v)], 1e-4) << "row " << r << ", vector " << v;
      } else if (r + 1 < rows) {
        ASSERT_EQ(dot, -7.0F) << "wrote between rows";
      }
    }
  }
}

TEST(IndexScanTest, EqualsPlainLoops) {
  testing::ForEachSimdTarget([] {
    Operands any(1);
    for (const int64_t count : {0, 1, 5, 255, 256, 257, 700}) {
      for (const int64_t rows : {1, 3, 4, 5, 21}) {
        ExpectRight(&any, count, rows, std::vector<int64_t>{1, 8, 19, 64}[static_cast<size_t>(any.Int(0, 3))]);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

TEST(IndexScanTest, PartIsAPart) {
  const std::vector<int8_t> vectors = {1, 2, 3, 4, 5, 6};
  const std::vector<float> scales = {1, 10, 100};
  const IndexView part = IndexView{vectors.data(), scales.data(), 3}.Part(1, 3, 2);
  const std::vector<float> query = {1, 1};
  std::vector<float> dots(2);
  IndexScan(part, query.data(), 1, 2, 1.0F, dots.data(), 2);
  EXPECT_EQ(dots, (std::vector<float>{70, 1100}));
}

TEST(SoftmaxWithEntropyTest, EqualsPlainLoops) {
  testing::ForEachSimdTarget([] {
    Operands any(2);
    for (const int64_t count : {1, 2, 7, 8, 31, 500}) {
      for (const float spread : {0.0F, 1.0F, 30.0F, 300.0F}) {
        std::vector<float> x = any.Floats(count, spread);
        double entropy = 0;
        const std::vector<double> expected = testing::SoftmaxReference(x, &entropy);
        EXPECT_NEAR(SoftmaxWithEntropy(x.data(), count), entropy, 2e-5) << count << " values, spread " << spread;
        for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], expected[i], 3e-6) << count;
      }
    }
  });
}

}  // namespace
}  // namespace ltri
