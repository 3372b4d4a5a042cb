// ThreadPool: a fixed team that runs numbered tasks.
//
// Thread safety: one caller at a time; a task must not call Run of the same pool.
#ifndef LTRI_BASE_THREAD_POOL_H_
#define LTRI_BASE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace ltri {

// A view of a callable (int64_t task, int thread) that outlives the call it is passed to. A std::function would put
// most lambdas on the heap, once for every operation of every token.
class TaskView {
 public:
  template <typename Task, typename = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<Task>, TaskView>>>
  TaskView(Task&& task)  // NOLINT(google-explicit-constructor): call sites pass lambdas
      : object_(const_cast<void*>(static_cast<const void*>(&task))), call_([](void* object, int64_t index, int thread) {
          (*static_cast<std::remove_reference_t<Task>*>(object))(index, thread);
        }) {}

  void operator()(int64_t task, int thread) const { call_(object_, task, thread); }

 private:
  void* object_;
  void (*call_)(void* object, int64_t task, int thread);
};

class ThreadPool {
 public:
  // `threads` includes the caller of Run; at least 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls task(i, thread) for every i in [0, tasks), thread in [0, threads()), and returns when all are done.
  // Tasks are handed out in order of i, so put the longest first.
  void Run(int64_t tasks, TaskView task);

 private:
  void Work(int thread);
  bool Join(uint64_t* seen);
  void Drain(int thread);

  // A round of tasks: its number, whether workers may still join, and how many have. Only those are waited for: a
  // worker that the system has not woken in time holds nobody up.
  static constexpr uint64_t kJoined = 0xFFFF;
  static constexpr uint64_t kOpen = 0x10000;
  static constexpr uint64_t kRound = 0x20000;

  std::vector<std::thread> workers_;
  const TaskView* task_ = nullptr;
  int64_t tasks_ = 0;
  // Each on a line of its own: idle workers poll the state while others fetch tasks.
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint64_t> state_{0};
  std::atomic<bool> stop_{false};
  std::atomic<int> sleeping_{0};
  alignas(64) std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace ltri

#endif  // LTRI_BASE_THREAD_POOL_H_
