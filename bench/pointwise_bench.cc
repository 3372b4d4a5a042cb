// What a decoder does row by row between its products. Every case is checked against plain code before it is timed.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "attention_step.h"
#include "ops/activation.h"
#include "ops/convert.h"
#include "ops/rms_norm.h"
#include "ops/rope.h"
#include "support/ops_reference.h"

namespace ltri {
namespace {

constexpr float kEpsilon = 1e-5F;
constexpr int64_t kPosition = 10000;  // somewhere far into a text

bool Near(const std::vector<float>& values, const std::vector<double>& expected, double tolerance) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(std::fabs(values[i] - expected[i]) <= tolerance * (1 + std::fabs(expected[i])))) return false;
  }
  return true;
}

void BM_RmsNorm(benchmark::State& state) {
  testing::Operands any(1);
  const std::vector<float> x = any.Floats(state.range(0));
  const std::vector<float> weight = any.Floats(state.range(0));
  std::vector<float> y(x.size());
  RmsNorm(x.data(), weight.data(), 1, state.range(0), kEpsilon, y.data());
  if (!Near(y, testing::RmsNormReference(x, weight, kEpsilon), 1e-5)) return state.SkipWithError("wrong");
  for (auto _ : state) {
    RmsNorm(x.data(), weight.data(), 1, state.range(0), kEpsilon, y.data());
    benchmark::DoNotOptimize(y.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 12);
}
BENCHMARK(BM_RmsNorm)->Arg(576)->Arg(4096);

void BM_GatedActivation(benchmark::State& state, Activation activation) {
  testing::Operands any(2);
  const std::vector<float> input = any.Floats(state.range(0), 4.0F);
  const std::vector<float> up = any.Floats(state.range(0));
  std::vector<float> gate = input;
  std::vector<double> expected;
  for (size_t i = 0; i < gate.size(); ++i) expected.push_back(testing::GatedReference(activation, gate[i], up[i]));
  GatedActivation(activation, gate.data(), up.data(), state.range(0));
  if (!Near(gate, expected, 1e-5)) return state.SkipWithError("wrong");
  for (auto _ : state) {
    // The result shrinks from round to round, which costs no more than the first.
    GatedActivation(activation, gate.data(), up.data(), state.range(0));
    benchmark::DoNotOptimize(gate.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 12);
}
BENCHMARK_CAPTURE(BM_GatedActivation, silu, Activation::kSilu)->Arg(1536)->Arg(14336);
BENCHMARK_CAPTURE(BM_GatedActivation, gelu, Activation::kGelu)->Arg(1536)->Arg(14336);

void BM_FloatToHalf(benchmark::State& state) {
  testing::Operands any(3);
  const std::vector<float> from = any.Floats(state.range(0), 100.0F);
  std::vector<Half> to(from.size());
  FloatToHalf(from.data(), state.range(0), to.data());
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] != HalfFromFloat(from[i])) return state.SkipWithError("wrong");
  }
  for (auto _ : state) {
    FloatToHalf(from.data(), state.range(0), to.data());
    benchmark::DoNotOptimize(to.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 6);
}
BENCHMARK(BM_FloatToHalf)->Arg(192)->Arg(65536);

void BM_HalfToFloat(benchmark::State& state) {
  testing::Operands any(4);
  const std::vector<Half> from = any.Halves(state.range(0), 100.0F);
  std::vector<float> to(from.size());
  HalfToFloat(from.data(), state.range(0), to.data());
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] != FloatFromHalf(from[i])) return state.SkipWithError("wrong");
  }
  for (auto _ : state) {
    HalfToFloat(from.data(), state.range(0), to.data());
    benchmark::DoNotOptimize(to.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 6);
}
BENCHMARK(BM_HalfToFloat)->Arg(192)->Arg(65536);

// Keys of one head.
void BM_RotateKeys(benchmark::State& state) {
  const int64_t count = state.range(0);
  RopeConfig rope;
  rope.dims = kHeadDim;
  RopeTable table(rope, false);
  table.Reserve(kPosition + count);
  testing::Operands any(5);
  const std::vector<Half> from = any.Halves(count * kHeadDim, 2.0F);
  std::vector<float> to(from.size());
  RotateKeys(table, from.data(), count, kHeadDim, kPosition, to.data());
  for (int64_t r = 0; r < count; ++r) {
    std::vector<double> row;
    for (int64_t i = 0; i < kHeadDim; ++i) row.push_back(FloatFromHalf(from[static_cast<size_t>(r * kHeadDim + i)]));
    const std::vector<float> turned(to.begin() + r * kHeadDim, to.begin() + (r + 1) * kHeadDim);
    if (!Near(turned, testing::RotateReference(rope, false, row, kPosition + r), 1e-5)) {
      return state.SkipWithError("wrong");
    }
  }
  for (auto _ : state) {
    RotateKeys(table, from.data(), count, kHeadDim, kPosition, to.data());
    benchmark::DoNotOptimize(to.data());
  }
  state.SetBytesProcessed(state.iterations() * count * kHeadDim * 6);
}
BENCHMARK(BM_RotateKeys)->ArgName("keys")->Arg(17)->Arg(1024);

// The nine queries of a token.
void BM_RotateQuery(benchmark::State& state) {
  RopeConfig rope;
  rope.dims = kHeadDim;
  RopeTable table(rope, false);
  table.Reserve(kPosition + 1);
  testing::Operands any(6);
  const std::vector<float> from = any.Floats(kHeads * kHeadDim, 2.0F);
  std::vector<float> to(from.size());
  const auto run = [&] {
    for (int64_t at = 0; at < kHeads * kHeadDim; at += kHeadDim) {
      RotateQuery(table, from.data() + at, kHeadDim, kPosition, 1.0F, to.data() + at);
    }
    benchmark::DoNotOptimize(to.data());
  };
  run();
  std::vector<double> expected;
  for (int64_t at = 0; at < kHeads * kHeadDim; at += kHeadDim) {
    const std::vector<double> row(from.begin() + at, from.begin() + at + kHeadDim);
    for (const double value : testing::RotateReference(rope, false, row, kPosition)) expected.push_back(value);
  }
  if (!Near(to, expected, 1e-5)) return state.SkipWithError("wrong");
  for (auto _ : state) run();
  state.SetBytesProcessed(state.iterations() * kHeads * kHeadDim * 8);
}
BENCHMARK(BM_RotateQuery);

}  // namespace
}  // namespace ltri
