#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <vector>

#include "support/allocations.h"

namespace ltri {
namespace {

TEST(ThreadPool, RunsEveryTaskOnceInEveryRound) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int64_t tasks = 0; tasks < 300; ++tasks) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
      pool.Run(tasks, [&](int64_t task, int thread) {
        EXPECT_GE(thread, 0);
        EXPECT_LT(thread, threads);
        runs[static_cast<size_t>(task)].fetch_add(1);
      });
      for (const std::atomic<int>& count : runs) ASSERT_EQ(count.load(), 1);
    }
  }
}

TEST(ThreadPool, ResultsOfARoundAreVisibleAfterIt) {
  ThreadPool pool(3);
  std::vector<int64_t> values(64, 0);  // not atomic on purpose: Run must order the writes
  for (int64_t round = 1; round <= 2000; ++round) {
    pool.Run(64, [&](int64_t task, int) { values[static_cast<size_t>(task)] += task; });
    ASSERT_EQ(std::accumulate(values.begin(), values.end(), int64_t{0}), round * 64 * 63 / 2);
  }
}

TEST(ThreadPool, WakesSleepers) {
  ThreadPool pool(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // long enough for the worker to sleep
    std::atomic<int> sum{0};
    pool.Run(100, [&](int64_t, int) { sum.fetch_add(1); });
    ASSERT_EQ(sum.load(), 100);
  }
}

TEST(ThreadPool, RunAsksForNoMemory) {
  if (!testing::CountsAllocations()) GTEST_SKIP() << "a sanitizer has operator new";
  ThreadPool pool(2);
  std::atomic<int64_t> sums[4] = {};
  const int64_t values[4] = {1, 2, 3, 4};  // a lambda with more than a std::function keeps in itself
  const auto add = [&sums, values](int64_t task, int) { sums[task % 4] += values[task % 4]; };
  pool.Run(8, add);
  const int64_t before = testing::Allocations();
  for (int i = 0; i < 100; ++i) pool.Run(8, add);
  EXPECT_EQ(testing::Allocations(), before);
  EXPECT_EQ(sums[3], 808);
}

}  // namespace
}  // namespace ltri
