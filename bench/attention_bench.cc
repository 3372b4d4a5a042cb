// Attention in the shape of SmolLM2-135M, and the second look at it that cuts spans. Every case is checked against
// plain loops before it is timed.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "attention_step.h"
#include "base/thread_pool.h"
#include "ops/attend.h"
#include "ops/local_probability.h"
#include "support/ops_reference.h"

namespace ltri {
namespace {

bool Near(const std::vector<float>& values, const std::vector<double>& expected) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(std::fabs(values[i] - expected[i]) <= 3e-5)) return false;
  }
  return values.size() == expected.size();
}

// Two operations for each number of a key and of a value that a query looks at.
void CountFlops(benchmark::State& state, int64_t pairs) {
  const auto flops = static_cast<double>(state.iterations() * pairs * kHeads * kHeadDim) * 2e-9;
  state.counters["GFLOP/s"] = benchmark::Counter(flops, benchmark::Counter::kIsRate);
}

// Pairs of a query and a key that it sees.
int64_t Pairs(const AttentionStep& step) {
  const int64_t n = step.args.queries;
  return n * step.keys() - n * (n - 1) / 2;
}

void BM_Attend(benchmark::State& state) {
  AttentionStep step(state.range(0), state.range(1), state.range(2));
  ThreadPool pool(static_cast<int>(state.range(3)));
  Attend(pool, step.args, step.out.data(), step.lse.data());
  const testing::AttentionReference expected = testing::AttendReference(step.args, step.rope);
  if (!Near(step.out, expected.out) || !Near(step.lse, expected.lse)) {
    return state.SkipWithError("differs from plain loops");
  }
  for (auto _ : state) {
    Attend(pool, step.args, step.out.data(), step.lse.data());
    benchmark::DoNotOptimize(step.out.data());
  }
  CountFlops(state, 2 * Pairs(step));
  state.SetBytesProcessed(state.iterations() * step.bytes());
}
// A decoded token over many short runs and over one long one.
BENCHMARK(BM_Attend)
    ->ArgNames({"queries", "spans", "before", "threads"})
    ->ArgsProduct({{1}, {256}, {512}, {1, 2}})
    ->ArgsProduct({{1}, {0}, {16384}, {1, 2}})
    ->UseRealTime();
// Part of a prompt's block, with recalled spans and without.
BENCHMARK(BM_Attend)
    ->ArgNames({"queries", "spans", "before", "threads"})
    ->ArgsProduct({{64}, {0, 128}, {1024}, {1, 2}})
    ->UseRealTime();

// The expected log-sum-exp stands in for Attend's.
void BM_SpanBand(benchmark::State& state) {
  constexpr int64_t kWidth = 128;
  AttentionStep step(state.range(0), 0, 1024);
  ThreadPool pool(static_cast<int>(state.range(1)));
  const testing::AttentionReference expected = testing::AttendReference(step.args, step.rope);
  step.lse.assign(expected.lse.begin(), expected.lse.end());
  std::vector<float> band(static_cast<size_t>(step.args.queries * kWidth));
  SpanBand(pool, step.args, step.lse.data(), kWidth, band.data());
  if (!Near(band, expected.Band(step.args, kWidth))) return state.SkipWithError("differs from plain loops");
  for (auto _ : state) {
    SpanBand(pool, step.args, step.lse.data(), kWidth, band.data());
    benchmark::DoNotOptimize(band.data());
  }
  CountFlops(state, step.args.queries * kWidth);
}
BENCHMARK(BM_SpanBand)->ArgNames({"queries", "threads"})->ArgsProduct({{1, 64}, {1, 2}})->UseRealTime();

void BM_ReceivedAttention(benchmark::State& state) {
  AttentionStep step(64, 0, 1024);
  ThreadPool pool(static_cast<int>(state.range(0)));
  const testing::AttentionReference expected = testing::AttendReference(step.args, step.rope);
  step.lse.assign(expected.lse.begin(), expected.lse.end());
  std::vector<float> received(static_cast<size_t>(kHeads * step.local_keys()));
  ReceivedAttention(pool, step.args, step.lse.data(), received.data());
  if (!Near(received, expected.Received(step.args))) return state.SkipWithError("differs from plain loops");
  for (auto _ : state) {
    ReceivedAttention(pool, step.args, step.lse.data(), received.data());
    benchmark::DoNotOptimize(received.data());
  }
  CountFlops(state, Pairs(step));
}
BENCHMARK(BM_ReceivedAttention)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
}  // namespace ltri
