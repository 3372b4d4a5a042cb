#include "bench/machine_limits.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <vector>

#include "base/stopwatch.h"
#include "ops/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/machine_limits.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ltri {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kAhead = 2048;  // floats

// Reads `count` floats in four streams of vectors, and asks for memory ahead: by itself the hardware stops at the end
// of each page. The sum keeps the compiler from leaving the reads out.
HWY_ATTR float SumAll(const float* HWY_RESTRICT x, int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d);
  auto b = a;
  auto c = a;
  auto e = a;
  for (int64_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    for (int64_t line = 0; line < 4 * lanes; line += 16) __builtin_prefetch(x + i + kAhead + line);
    a = hn::Add(a, hn::LoadU(d, x + i));
    b = hn::Add(b, hn::LoadU(d, x + i + lanes));
    c = hn::Add(c, hn::LoadU(d, x + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(d, x + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

// `rounds` multiply-adds in each of twelve chains: enough to hide their latency. Returns the floating-point operations.
HWY_ATTR double MultiplyAdd(int64_t rounds, float* result) {
  const hn::ScalableTag<float> d;
  const auto m = hn::Set(d, 0.999F);
  const auto p = hn::Set(d, 0.001F);
  // Chains that began alike would be computed once.
  auto a0 = hn::Iota(d, 0.0F);
  auto a1 = hn::Iota(d, 1.0F);
  auto a2 = hn::Iota(d, 2.0F);
  auto a3 = hn::Iota(d, 3.0F);
  auto a4 = hn::Iota(d, 4.0F);
  auto a5 = hn::Iota(d, 5.0F);
  auto a6 = hn::Iota(d, 6.0F);
  auto a7 = hn::Iota(d, 7.0F);
  auto a8 = hn::Iota(d, 8.0F);
  auto a9 = hn::Iota(d, 9.0F);
  auto b0 = hn::Iota(d, 10.0F);
  auto b1 = hn::Iota(d, 11.0F);
  for (int64_t i = 0; i < rounds; ++i) {
    a0 = hn::MulAdd(a0, m, p);
    a1 = hn::MulAdd(a1, m, p);
    a2 = hn::MulAdd(a2, m, p);
    a3 = hn::MulAdd(a3, m, p);
    a4 = hn::MulAdd(a4, m, p);
    a5 = hn::MulAdd(a5, m, p);
    a6 = hn::MulAdd(a6, m, p);
    a7 = hn::MulAdd(a7, m, p);
    a8 = hn::MulAdd(a8, m, p);
    a9 = hn::MulAdd(a9, m, p);
    b0 = hn::MulAdd(b0, m, p);
    b1 = hn::MulAdd(b1, m, p);
  }
  const auto low = hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(hn::Add(a4, a5), hn::Add(a6, a7)));
  *result = hn::GetLane(hn::SumOfLanes(d, hn::Add(low, hn::Add(hn::Add(a8, a9), hn::Add(b0, b1)))));
  return 2.0 * 12.0 * static_cast<double>(rounds) * static_cast<double>(hn::Lanes(d));
}

}  // namespace HWY_NAMESPACE
}  // namespace ltri
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ltri {
namespace {

HWY_EXPORT(SumAll);
HWY_EXPORT(MultiplyAdd);

constexpr double kGiga = 1e9;

// Somewhere to put results that nobody wants.
std::atomic<float> sink{0};

int64_t BufferBytes() {
  constexpr int64_t kLeast = int64_t{512} << 20;
  int64_t cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
  cache = std::max<int64_t>(0, sysconf(_SC_LEVEL3_CACHE_SIZE));
#endif
  return std::max(kLeast, 4 * cache);
}

// The best rate of `pass`, which returns the work it did, repeated for `seconds`.
double BestRate(double seconds, const std::function<double()>& pass) {
  pass();  // pages are there, threads run, the clock is up
  double best = 0;
  const Stopwatch all;
  do {
    const Stopwatch one;
    const double work = pass();
    best = std::max(best, work / one.Seconds());
  } while (all.Seconds() < seconds);
  return best / kGiga;
}

double MeasureRead(ThreadPool& pool, const LimitSizes& sizes) {
  const int64_t bytes = sizes.buffer_bytes > 0 ? sizes.buffer_bytes : BufferBytes();
  const int64_t threads = pool.threads();
  const int64_t count = bytes / static_cast<int64_t>(sizeof(float)) / threads;  // a thread
  std::vector<float> buffer(static_cast<size_t>(count * threads), 1.0F);
  return BestRate(sizes.seconds, [&] {
    pool.Run(threads, [&](int64_t i, int) { sink = HWY_DYNAMIC_DISPATCH(SumAll)(buffer.data() + i * count, count); });
    return static_cast<double>(buffer.size() * sizeof(float));
  });
}

double MeasureMultiplyAdd(ThreadPool& pool, double seconds) {
  constexpr int64_t kRounds = 4'000'000;
  return BestRate(seconds, [&] {
    std::vector<double> work(static_cast<size_t>(pool.threads()));
    pool.Run(pool.threads(), [&](int64_t i, int) {
      float result = 0;
      work[static_cast<size_t>(i)] = HWY_DYNAMIC_DISPATCH(MultiplyAdd)(kRounds, &result);
      sink = result;
    });
    double sum = 0;
    for (const double part : work) sum += part;
    return sum;
  });
}

double MeasureGemm(ThreadPool& pool, const LimitSizes& sizes) {
  const int64_t n = sizes.matrix;
  const std::vector<float> a(static_cast<size_t>(n * n), 0.5F);
  const std::vector<float> b(static_cast<size_t>(n * n), 0.25F);
  std::vector<std::vector<float>> c(static_cast<size_t>(pool.threads()), std::vector<float>(a.size()));
  return BestRate(sizes.seconds, [&] {
    pool.Run(pool.threads(), [&](int64_t i, int) {
      GemmTransposed(n, n, n, 1.0F, a.data(), n, b.data(), n, 0.0F, c[static_cast<size_t>(i)].data(), n);
    });
    return 2.0 * static_cast<double>(n * n * n) * pool.threads();
  });
}

}  // namespace

MachineLimits MeasureLimits(ThreadPool& pool, const LimitSizes& sizes) {
  MachineLimits limits;
  limits.read_gb_per_second = MeasureRead(pool, sizes);
  limits.fma_gflops = MeasureMultiplyAdd(pool, sizes.seconds);
  limits.gemm_gflops = MeasureGemm(pool, sizes);
  limits.gemm = GemmName();
  return limits;
}

}  // namespace ltri
#endif
