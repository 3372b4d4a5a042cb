// Scheduler: serves many requests with one model, a step at a time for all of them.
//
// One thread calls Step or Run; any thread may call Submit, Drain and Stop. Requests are taken up first come first
// served within a priority, up to `parallel` at once; who waits long rises. Prompts that are being read take turns, a
// block each; step_budget.h says how they share the time with growing answers. An answer is the one that its request
// would get alone, unless its prompt's beginning came from the prefix cache (docs/server.md).
#ifndef LTRI_SERVE_SCHEDULER_H_
#define LTRI_SERVE_SCHEDULER_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "serve/job.h"
#include "serve/metrics.h"
#include "serve/prefix_cache.h"
#include "serve/step_budget.h"

namespace ltri {

struct SchedulerOptions {
  int64_t parallel = 16;        // requests served at once
  int64_t queue = 256;          // requests that wait for that
  double prompt_share = 0.5;    // of the time, for prompts while answers grow
  double step_seconds = 0.1;    // how long a step may become by further prompts
  double patience = 30;         // seconds of waiting that count as much as one more of priority
  int64_t cache_bytes = 0;      // of the prefix cache; 0: none
  std::function<double()> now;  // seconds on a steady clock; empty: the system's
};

class Scheduler {
 public:
  // tier: where the blocks of all sessions are; null: RAM without a limit.
  Scheduler(std::shared_ptr<Model> model, const SchedulerOptions& options, Metrics* metrics,
            std::shared_ptr<Tier> tier = nullptr);

  // Null when the queue is full, or no more is taken. What can be served at once needs no room in the queue.
  std::shared_ptr<Ticket> Submit(GenerateRequest request);

  // One step for all. False: there was nothing to do.
  bool Step();

  // Steps until Stop, or until all is done after Drain. Who is unserved then gets RequestFailed.
  void Run();
  void Drain();
  void Stop();

  // Only while no thread is in Step or Run.
  PrefixCache& cache() { return cache_; }

 private:
  using Jobs = std::list<Job>;

  // A slice of a step and whose it is: an answer's, or a prompt's.
  struct Part {
    Slice slice;
    Job* job;
    GrowingAnswer* answer;  // null: the prompt
  };

  double Now() const { return options_.now(); }
  int64_t Rank(const Job& job, double waited_since) const;

  void TakeUp();
  void Start(Job& job);
  void DropCancelled();
  void BeginAnswers(Job& job);
  void CollectAnswers(std::vector<Part>* parts);
  void CollectPrompts(std::vector<Part>* parts);
  void RunParts(std::vector<Part>* parts);
  void Done(Part& part, double now);
  void TakeTokens();
  void FinishJobs();
  void Fail(Job& job, const Error& error);
  std::shared_ptr<Ticket> Forget(Jobs::iterator job);
  void Keep(std::unique_ptr<Session::Impl> session);
  void UpdateGauges();
  bool WaitForWork();

  std::shared_ptr<Model> model_;
  SchedulerOptions options_;
  Metrics* metrics_;
  std::shared_ptr<Tier> tier_;
  PrefixCache cache_;
  StepBudget budget_;
  Jobs jobs_;  // those being served, in the order of their coming
  double measured_ = 0;
  std::atomic<int64_t> served_ = 0;  // how many jobs_ there are

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Job> queue_;
  bool draining_ = false;
  bool stopped_ = false;
};

}  // namespace ltri

#endif  // LTRI_SERVE_SCHEDULER_H_
