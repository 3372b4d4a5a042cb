// Cost of cutting spans, per token and layer.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "spans/span_cutter.h"
#include "spans/triangle_score.h"

namespace ltri {
namespace {

// Rows like a model's: attention falls off with distance and clumps in spans of a random length.
std::vector<std::vector<float>> ClumpedRows(int64_t rows, int64_t width) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> noise(0.0F, 0.02F);
  std::geometric_distribution<int64_t> length(0.06);
  std::vector<std::vector<float>> band(static_cast<size_t>(rows), std::vector<float>(static_cast<size_t>(width)));
  int64_t begin = 0;
  int64_t end = 0;
  for (int64_t y = 0; y < rows; ++y) {
    if (y == end) {
      begin = end;
      end += 8 + length(random);
    }
    for (int64_t lag = 1; lag <= width; ++lag) {
      const float inside = y - lag >= begin ? 0.3F : 0.0F;
      band[static_cast<size_t>(y)][static_cast<size_t>(lag - 1)] =
          noise(random) + inside / std::sqrt(static_cast<float>(lag));
    }
  }
  return band;
}

constexpr size_t kLayers = 30;
constexpr int64_t kWidth = 128;
constexpr int64_t kRows = 4096;

// Time of one row in one layer, layers in turn as in decoding, so that caches see what they see there.
void BM_Push(benchmark::State& state, SpanSelector selector, bool length_normalised) {
  const auto band = ClumpedRows(kRows, kWidth);
  std::vector<std::unique_ptr<SpanCutter>> layers;
  while (layers.size() < kLayers) {
    auto cutter = MakeSpanCutter({.selector = selector, .max_span = kWidth, .length_normalised = length_normalised});
    if (!cutter) return state.SkipWithError(cutter.error().message.c_str());
    layers.push_back(*std::move(cutter));
  }
  size_t y = 0;
  size_t layer = 0;
  int64_t spans = 0;
  for (auto _ : state) {
    layers[layer]->Push(band[y]);
    spans += static_cast<int64_t>(layers[layer]->TakeCommitted().size());
    if (++layer < layers.size()) continue;
    layer = 0;
    y = (y + 1) % band.size();
  }
  state.counters["mean_span"] = static_cast<double>(state.iterations()) / static_cast<double>(spans + 1);
}
BENCHMARK_CAPTURE(BM_Push, partition, SpanSelector::kPartition, false);
BENCHMARK_CAPTURE(BM_Push, nms, SpanSelector::kNms, false);
BENCHMARK_CAPTURE(BM_Push, nms_by_length, SpanSelector::kNms, true);
BENCHMARK_CAPTURE(BM_Push, fixed, SpanSelector::kFixed, false);

// The part of Push that runs at every token.
void BM_TriangleScore(benchmark::State& state) {
  const auto band = ClumpedRows(kRows, kWidth);
  TriangleScore scores(64, kWidth, 2.0, 2 * kWidth + 66);
  size_t y = 0;
  for (auto _ : state) {
    scores.Push(band[y]);
    benchmark::DoNotOptimize(scores.Row(scores.next() - 1));
    y = (y + 1) % band.size();
  }
}
BENCHMARK(BM_TriangleScore);

}  // namespace
}  // namespace ltri
