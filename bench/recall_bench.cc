// From queries to the spans that are recalled: the index, the softmax of a vote, the highest votes, the choice. Every
// case is checked against plain code before it is timed.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "attention/choose.h"
#include "attention_step.h"
#include "memory/span_search.h"
#include "ops/index_scan.h"
#include "ops/vote.h"
#include "recall_case.h"
#include "support/ops_reference.h"

namespace ltri {
namespace {

constexpr float kScale = 0.125F;  // of dot products
constexpr int64_t kGroupHeads = kHeads / kKvHeads;

bool Near(double a, double b, double tolerance) { return std::fabs(a - b) <= tolerance * (1 + std::fabs(b)); }

void BM_IndexScan(benchmark::State& state) {
  const int64_t rows = state.range(1);
  const SpanIndex index = MakeSpanIndex(state.range(0), 1, kHeadDim);
  const testing::IndexContents all = testing::ContentsOf(index, 0);
  const IndexView view = all.View();
  testing::Operands any(6);
  const std::vector<float> queries = any.Floats(rows * kHeadDim, 2.0F);
  std::vector<float> dots(static_cast<size_t>(rows * view.count));
  IndexScan(view, queries.data(), rows, kHeadDim, kScale, dots.data(), view.count);
  const std::vector<double> expected = testing::IndexScanReference(view, queries, kHeadDim, kScale);
  for (size_t i = 0; i < dots.size(); ++i) {
    if (!Near(dots[i], expected[i], 1e-5)) return state.SkipWithError("differs from plain loops");
  }
  for (auto _ : state) {
    IndexScan(view, queries.data(), rows, kHeadDim, kScale, dots.data(), view.count);
    benchmark::DoNotOptimize(dots.data());
  }
  const auto products = static_cast<double>(state.iterations() * rows * view.count * kHeadDim);
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * products, benchmark::Counter::kIsRate);
  state.SetBytesProcessed(state.iterations() * view.count * (kHeadDim + static_cast<int64_t>(sizeof(float))));
}
BENCHMARK(BM_IndexScan)->ArgNames({"vectors", "queries"})->ArgsProduct({{1024, 8192}, {1, kGroupHeads, 64}});

// The best dot product of a query with each span's vectors.
std::vector<double> Relevances(const testing::IndexContents& head, const std::vector<float>& query, int64_t spans) {
  const std::vector<double> dots = testing::IndexScanReference(head.View(), query, kHeadDim, kScale);
  std::vector<double> best(static_cast<size_t>(spans), -std::numeric_limits<double>::infinity());
  for (size_t v = 0; v < dots.size(); ++v) {
    double& of_span = best[static_cast<size_t>(head.owners[v])];
    of_span = std::max(of_span, dots[v]);
  }
  return best;
}

void BM_SpanSearch(benchmark::State& state) {
  const SpanIndex index = MakeSpanIndex(state.range(0), 1, kHeadDim);
  testing::Operands any(7);
  const std::vector<float> query = any.Floats(kHeadDim, 2.0F);
  const std::vector<double> expected = Relevances(testing::ContentsOf(index, 0), query, index.spans());
  SpanSearch search;
  Found found;
  const auto run = [&](int64_t probes) {
    search.Start(index, 0, query.data(), 1, kScale, probes);
    search.Find(0, &found);
    benchmark::DoNotOptimize(found.relevance.data());
  };
  run(state.range(1));
  for (size_t i = 0; i < found.spans.size(); ++i) {
    if (!Near(found.relevance[i], expected[static_cast<size_t>(found.spans[i])], 1e-5)) {
      return state.SkipWithError("differs from plain loops");
    }
  }
  for (auto _ : state) run(state.range(1));
  state.SetItemsProcessed(state.iterations() * index.spans());
  state.counters["compared"] = static_cast<double>(found.spans.size());
}
BENCHMARK(BM_SpanSearch)->ArgNames({"spans", "probes"})->ArgsProduct({{1000, 8192}, {32, 1 << 20}});

void BM_SoftmaxWithEntropy(benchmark::State& state) {
  testing::Operands any(8);
  const std::vector<float> relevances = any.Floats(state.range(0), 10.0F);
  std::vector<float> x = relevances;
  double entropy = 0;
  const std::vector<double> expected = testing::SoftmaxReference(x, &entropy);
  if (!Near(SoftmaxWithEntropy(x.data(), state.range(0)), entropy, 2e-5)) return state.SkipWithError("wrong entropy");
  for (size_t i = 0; i < x.size(); ++i) {
    if (!Near(x[i], expected[i], 3e-6)) return state.SkipWithError("differs from plain loops");
  }
  for (auto _ : state) {
    std::copy(relevances.begin(), relevances.end(), x.begin());
    benchmark::DoNotOptimize(SoftmaxWithEntropy(x.data(), state.range(0)));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<int64_t>(sizeof(float)));
}
BENCHMARK(BM_SoftmaxWithEntropy)->ArgName("spans")->Arg(64)->Arg(512)->Arg(8192);

bool IsHigher(const SpanVote& a, const SpanVote& b) { return a.vote > b.vote; }
bool IsEarlier(const SpanVote& a, const SpanVote& b) { return a.span < b.span; }

void BM_KeepHighest(benchmark::State& state) {
  const Ballot ballot = MakeBallot(state.range(0), 1.1F);
  const int64_t most = state.range(1);
  Ballot expected = ballot;
  std::stable_sort(expected.begin(), expected.end(), IsHigher);
  expected.resize(static_cast<size_t>(most));
  std::sort(expected.begin(), expected.end(), IsEarlier);
  Ballot kept = ballot;
  KeepHighest(kept, most);
  if (kept != expected) return state.SkipWithError("differs from sorting");
  for (auto _ : state) {
    kept.assign(ballot.begin(), ballot.end());
    KeepHighest(kept, most);
    benchmark::DoNotOptimize(kept.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_KeepHighest)->ArgNames({"spans", "most"})->ArgsProduct({{512, 8192}, {128}});

// By descending vote, until the next span would lead further from the budget.
std::vector<int32_t> Choose(const std::vector<Span>& spans, Ballot votes, int64_t budget) {
  std::stable_sort(votes.begin(), votes.end(), IsHigher);
  std::vector<int32_t> picked;
  for (const SpanVote& vote : votes) {
    const int64_t length = spans[static_cast<size_t>(vote.span)].length();
    if (budget <= 0 || length - budget > budget) break;
    budget -= length;
    picked.push_back(vote.span);
  }
  std::sort(picked.begin(), picked.end());
  return picked;
}

// Persistent, as by default; the first choice has nothing to persist yet and follows the votes.
void BM_ChooseSpans(benchmark::State& state) {
  const std::vector<Span> spans = MakeSpans(state.range(0));
  const Ballot votes = MakeBallot(state.range(0), 0.5F);
  const int64_t budget = state.range(1);
  Ballot weights;
  if (ChooseSpans(spans, votes, budget, {}, &weights) != Choose(spans, votes, budget)) {
    return state.SkipWithError("differs from the rule");
  }
  for (auto _ : state) benchmark::DoNotOptimize(ChooseSpans(spans, votes, budget, {}, &weights));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(votes.size()));
}
BENCHMARK(BM_ChooseSpans)->ArgNames({"spans", "budget"})->ArgsProduct({{1024, 8192}, {2048}});

}  // namespace
}  // namespace ltri
