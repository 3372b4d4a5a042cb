#include "base/thread_pool.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ltri {
namespace {

// The steps of one token follow each other within microseconds, so a worker polls that long before it sleeps.
constexpr int kSpins = 4000;

void Pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { Work(i); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_.store(true);
    state_.fetch_add(kRound);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Run(int64_t tasks, TaskView task) {
  if (workers_.empty() || tasks <= 1) {
    for (int64_t i = 0; i < tasks; ++i) task(i, 0);
    return;
  }
  task_ = &task;
  tasks_ = tasks;
  next_.store(0, std::memory_order_relaxed);
  // Nobody has joined a closed round, so the state is the round's number alone.
  state_.store((state_.load(std::memory_order_relaxed) / kRound + 1) * kRound + kOpen);
  if (sleeping_.load() > 0) {
    // The lock orders this round after the check of whoever is about to sleep.
    { std::lock_guard<std::mutex> lock(mutex_); }
    wake_.notify_all();
  }
  Drain(0);
  uint64_t state = state_.fetch_and(~kOpen) & ~kOpen;
  for (int spins = 0; (state & kJoined) != 0; ++spins) {
    if (spins < kSpins) {
      Pause();
    } else {
      std::this_thread::yield();
    }
    state = state_.load(std::memory_order_acquire);
  }
}

// Enters the current round if it is open and was not seen before.
bool ThreadPool::Join(uint64_t* seen) {
  uint64_t state = state_.load(std::memory_order_acquire);
  while ((state & kOpen) != 0 && state / kRound != *seen) {
    if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) continue;
    *seen = state / kRound;
    return true;
  }
  return false;
}

void ThreadPool::Work(int thread) {
  uint64_t seen = 0;
  while (!stop_.load()) {
    bool joined = false;
    for (int spins = 0; spins < kSpins && !joined && !stop_.load(std::memory_order_relaxed); ++spins) {
      joined = Join(&seen);
      if (!joined) Pause();
    }
    if (!joined) {
      std::unique_lock<std::mutex> lock(mutex_);
      sleeping_.fetch_add(1);
      wake_.wait(lock, [&] {
        const uint64_t state = state_.load();
        return stop_.load() || ((state & kOpen) != 0 && state / kRound != seen);
      });
      sleeping_.fetch_sub(1);
      continue;
    }
    Drain(thread);
    state_.fetch_sub(1, std::memory_order_release);
  }
}

void ThreadPool::Drain(int thread) {
  for (int64_t i = next_.fetch_add(1); i < tasks_; i = next_.fetch_add(1)) (*task_)(i, thread);
}

}  // namespace ltri
