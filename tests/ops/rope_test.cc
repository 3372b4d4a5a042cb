#include "ops/rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/ops_reference.h"
#include "support/simd_targets.h"

namespace ltri {
namespace {

using testing::Operands;
using testing::RotateReference;

// One of each kind of scaling, with `dims` rotated dimensions.
std::vector<RopeConfig> Configs(int64_t dims, Operands* any) {
  RopeConfig plain;
  plain.dims = dims;
  plain.base = 50000.0F;
  RopeConfig linear = plain;
  linear.scale = 0.25F;
  linear.magnitude = 1.2F;
  RopeConfig factors = plain;
  RopeConfig yarn = linear;
  yarn.yarn_ext_factor = 1.0F;
  yarn.original_context = 512;
  RopeConfig longrope = plain;
  longrope.original_context = 512;
  for (int64_t i = 0; i < dims / 2; ++i) {
    factors.factors.push_back(4.0F + any->Float(3.0F));
    longrope.factors.push_back(1.1F + any->Float(0.1F));
    longrope.long_factors.push_back(6.0F + any->Float(4.0F));
  }
  return {plain, linear, factors, yarn, longrope};
}

void ExpectNear(const std::vector<float>& actual, const std::vector<double>& expected, double scale) {
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(actual[i], scale * expected[i], 1e-5) << "dimension " << i;
}

void ExpectTurned(const RopeConfig& rope, bool use_long, int64_t head_dim, Operands* any) {
  RopeTable table(rope, use_long);
  table.Reserve(3000);
  const int64_t position = any->Int(0, 2990);
  const std::vector<float> query = any->Floats(head_dim);
  std::vector<float> turned(query.size());
  RotateQuery(table, query.data(), head_dim, position, 0.37F, turned.data());
  ExpectNear(turned, RotateReference(rope, use_long, {query.begin(), query.end()}, position), 0.37F);

  const std::vector<Half> keys = any->Halves(3 * head_dim);
  std::vector<float> turned_keys(keys.size());
  RotateKeys(table, keys.data(), 3, head_dim, position, turned_keys.data());
  for (int64_t r = 0; r < 3; ++r) {
    std::vector<double> key;
    for (int64_t i = 0; i < head_dim; ++i) key.push_back(FloatFromHalf(keys[static_cast<size_t>(r * head_dim + i)]));
    const std::vector<float> row(turned_keys.begin() + r * head_dim, turned_keys.begin() + (r + 1) * head_dim);
    ExpectNear(row, RotateReference(rope, use_long, key, position + r), 1.0);
  }
}

TEST(RopeTest, TurnsAsTheFormulaSays) {
  testing::ForEachSimdTarget([] {
    Operands any(4);
    for (const int64_t dims : {2, 6, 16, 34, 64, 128}) {
      for (const RopeConfig& rope : Configs(dims, &any)) {
        for (const int64_t head_dim : {dims, dims + 1, dims + 16}) {
          ExpectTurned(rope, false, head_dim, &any);
          if (!rope.long_factors.empty()) ExpectTurned(rope, true, head_dim, &any);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

// Turning adjacent pairs and then moving them into halves is turning halves.
TEST(RopeTest, HalvesAreAdjacentPairsMoved) {
  Operands any(5);
  RopeConfig rope;
  rope.dims = 12;
  const std::vector<float> row = any.Floats(16);
  std::vector<float> halves = row;
  ToHalves(halves.data(), 1, 16, 12);
  const std::vector<double> turned = RotateReference(rope, false, {halves.begin(), halves.end()}, 9);
  for (int64_t pair = 0; pair < 6; ++pair) {
    const double angle = 9 / std::pow(10000.0, 2.0 * static_cast<double>(pair) / 12);
    const double a = row[static_cast<size_t>(2 * pair)];
    const double b = row[static_cast<size_t>(2 * pair + 1)];
    EXPECT_NEAR(turned[static_cast<size_t>(pair)], a * std::cos(angle) - b * std::sin(angle), 1e-7);
    EXPECT_NEAR(turned[static_cast<size_t>(6 + pair)], a * std::sin(angle) + b * std::cos(angle), 1e-7);
  }
  for (size_t i = 12; i < 16; ++i) EXPECT_EQ(halves[i], row[i]);
}

TEST(RopeTest, ScoresDependOnDistanceOnly) {
  Operands any(6);
  RopeConfig rope;
  rope.dims = 32;
  RopeTable table(rope, false);
  table.Reserve(5000);
  const std::vector<float> q = any.Floats(32);
  const std::vector<Half> k = any.Halves(32);
  std::vector<double> scores;
  for (const int64_t at : {0, 1000, 4000}) {
    std::vector<float> turned_q(32);
    std::vector<float> turned_k(32);
    RotateQuery(table, q.data(), 32, at + 77, 1.0F, turned_q.data());
    RotateKeys(table, k.data(), 1, 32, at, turned_k.data());
    double score = 0;
    for (size_t i = 0; i < 32; ++i) score += static_cast<double>(turned_q[i]) * turned_k[i];
    scores.push_back(score);
  }
  EXPECT_NEAR(scores[0], scores[1], 1e-5);
  EXPECT_NEAR(scores[0], scores[2], 1e-5);
}

}  // namespace
}  // namespace ltri
