#include "serve/scheduler.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "serve/memory_gauges.h"

namespace ltri {
namespace {

constexpr double kMeasureSeconds = 0.5;  // between two looks at what sessions hold

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Error Unserved() { return {ErrorCode::kCancelled, "the server is shutting down"}; }

}  // namespace

Scheduler::Scheduler(std::shared_ptr<Model> model, const SchedulerOptions& options, Metrics* metrics,
                     std::shared_ptr<Tier> tier)
    : model_(std::move(model)),
      options_(options),
      metrics_(metrics),
      tier_(std::move(tier)),
      cache_(options.cache_bytes),
      budget_(options.prompt_share, options.step_seconds) {
  if (!options_.now) options_.now = SteadySeconds;
}

std::shared_ptr<Ticket> Scheduler::Submit(GenerateRequest request) {
  auto ticket = std::make_shared<Ticket>();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const int64_t room = options_.queue + std::max<int64_t>(0, options_.parallel - served_);
    if (draining_ || stopped_ || static_cast<int64_t>(queue_.size()) >= room) {
      ++metrics_->refused;
      return nullptr;
    }
    Job job;
    job.request = std::move(request);
    job.ticket = ticket;
    job.submitted = Now();
    queue_.push_back(std::move(job));
    metrics_->queued = static_cast<int64_t>(queue_.size());
  }
  changed_.notify_all();
  return ticket;
}

// What a job's waiting since then has made of its priority.
int64_t Scheduler::Rank(const Job& job, double waited_since) const {
  return job.request.priority + static_cast<int64_t>((Now() - waited_since) / options_.patience);
}

void Scheduler::TakeUp() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto job = queue_.begin(); job != queue_.end();) {
    const bool left = job->ticket->cancelled();
    if (left) ++metrics_->cancelled;
    job = left ? queue_.erase(job) : job + 1;
  }
  while (!queue_.empty() && static_cast<int64_t>(jobs_.size()) < options_.parallel) {
    // The first of those that rank highest.
    const auto next = std::max_element(queue_.begin(), queue_.end(), [this](const Job& a, const Job& b) {
      return Rank(a, a.submitted) < Rank(b, b.submitted);
    });
    jobs_.push_back(std::move(*next));
    queue_.erase(next);
    ++served_;
    Start(jobs_.back());
  }
  metrics_->queued = static_cast<int64_t>(queue_.size());
}

void Scheduler::Start(Job& job) {
  job.started = Now();
  job.last_turn = job.submitted;  // so who came while a block was read is next
  metrics_->queue_wait.Observe(job.started - job.submitted);
  GenerateRequest& request = job.request;
  std::unique_ptr<Session::Impl> session = std::move(request.start);
  CacheSource source = CacheSource::kDocuments;
  std::span<const TokenId> rest = request.prompt;
  if (session == nullptr && request.reuse) {
    PrefixCache::Found found = cache_.Take(Session::Impl::Complete(*model_, request.session), request.prompt);
    session = std::move(found.session);
    source = found.source;
    if (session != nullptr) rest = rest.subspan(session->tokens().size());
  }
  if (session == nullptr) {
    ++metrics_->cache_misses;
    Result<std::unique_ptr<Session::Impl>> opened = Session::Impl::Open(model_, request.session, tier_);
    if (!opened.ok()) return Fail(job, opened.error());
    session = std::move(*opened);
  }
  job.cached = session->read();
  if (job.cached > 0) metrics_->CountCached(source, job.cached);
  if (Status pushed = session->Push(rest); !pushed.ok()) return Fail(job, pushed.error());
  job.prompt_tokens = static_cast<int64_t>(session->tokens().size());
  if (job.prompt_tokens == 0) return Fail(job, {ErrorCode::kInvalidArgument, "the prompt is empty"});
  job.session = std::move(session);
}

void Scheduler::DropCancelled() {
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    const auto next = std::next(job);
    if (job->ticket->cancelled()) {
      ++metrics_->cancelled;
      // What was read may be asked for again.
      if (job->request.reuse && job->answering()) Keep(job->answers.back().TakeSession());
      if (job->request.reuse && job->session != nullptr && job->session->Truncate(job->session->read()).ok()) {
        Keep(std::move(job->session));
      }
      Forget(job);
    }
    job = next;
  }
}

void Scheduler::Fail(Job& job, const Error& error) {
  ++metrics_->failed;
  const auto is_it = [&](const Job& other) { return &other == &job; };
  Forget(std::find_if(jobs_.begin(), jobs_.end(), is_it))->Put(RequestFailed{error});
}

// Before its client hears of the end: there is room for the next request then.
std::shared_ptr<Ticket> Scheduler::Forget(Jobs::iterator job) {
  std::shared_ptr<Ticket> ticket = std::move(job->ticket);
  jobs_.erase(job);
  --served_;
  return ticket;
}

// The prompt has been read: each answer goes on from a copy of its session.
void Scheduler::BeginAnswers(Job& job) {
  job.ticket->Put(PromptProgress{job.prompt_tokens, job.cached, job.prompt_tokens, Now() - job.started});
  for (int choice = job.request.choices - 1; choice >= 0; --choice) {
    std::unique_ptr<Session::Impl> session;
    if (choice > 0) {
      Result<std::unique_ptr<Session::Impl>> copy = job.session->Fork();
      if (!copy.ok()) return Fail(job, copy.error());
      session = std::move(*copy);
    } else {
      session = std::move(job.session);
    }
    Result<GrowingAnswer> answer = GrowingAnswer::Begin(job.request, choice, std::move(session));
    if (!answer.ok()) return Fail(job, answer.error());
    job.answers.push_back(std::move(*answer));
  }
}

void Scheduler::CollectAnswers(std::vector<Part>* parts) {
  for (Job& job : jobs_) {
    for (GrowingAnswer& answer : job.answers) {
      if (answer.ended() || answer.session().HasLogits()) continue;
      parts->push_back({answer.session().DecodeSlice(), &job, &answer});
    }
  }
}

void Scheduler::CollectPrompts(std::vector<Part>* parts) {
  std::vector<Job*> waiting;
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    Job& current = *job++;  // BeginAnswers may remove it
    if (current.answering()) continue;
    if (current.session->NextSlice().has_value()) {
      waiting.push_back(&current);
    } else {
      BeginAnswers(current);
    }
  }
  std::stable_sort(waiting.begin(), waiting.end(), [this](const Job* a, const Job* b) {
    const int64_t left = Rank(*a, a->last_turn);
    const int64_t right = Rank(*b, b->last_turn);
    if (left != right) return left > right;
    return a->last_turn != b->last_turn ? a->last_turn < b->last_turn : a->has_begun < b->has_begun;
  });
  CollectAnswers(parts);
  std::vector<PromptBlock> blocks;
  blocks.reserve(waiting.size());
  for (Job* job : waiting) blocks.push_back({job->session->NextSlice()->range.count, !job->has_begun});
  for (const size_t i : budget_.Choose(blocks, static_cast<int64_t>(parts->size()))) {
    parts->push_back({*waiting[i]->session->NextSlice(), waiting[i], nullptr});
  }
}

bool Scheduler::Step() {
  DropCancelled();
  TakeUp();
  std::vector<Part> parts;
  CollectPrompts(&parts);
  if (!parts.empty()) RunParts(&parts);
  TakeTokens();
  FinishJobs();
  UpdateGauges();
  return !parts.empty();
}

// Who cannot be served alone either has failed; the others are not to suffer from it.
void Scheduler::RunParts(std::vector<Part>* parts) {
  std::vector<Slice> slices;
  int64_t prompt_tokens = 0;
  for (const Part& part : *parts) {
    slices.push_back(part.slice);
    if (part.answer == nullptr) prompt_tokens += part.slice.range.count;
  }
  const double begin = Now();
  const bool together = model_->engine().Step(slices).ok();
  std::vector<std::pair<Job*, Error>> failed;
  for (Part& part : *parts) {
    const auto has_failed = [&](const auto& failure) { return failure.first == part.job; };
    if (std::any_of(failed.begin(), failed.end(), has_failed)) continue;
    if (!together) {
      if (Status status = model_->engine().Step({&part.slice, 1}); !status.ok()) {
        failed.emplace_back(part.job, status.error());
        continue;
      }
    }
    Done(part, Now());
  }
  const double seconds = Now() - begin;
  metrics_->step.Observe(seconds);
  const auto answers =
      std::count_if(parts->begin(), parts->end(), [](const Part& part) { return part.answer != nullptr; });
  budget_.Took(seconds, prompt_tokens, answers);
  for (auto& [job, error] : failed) Fail(*job, error);
}

void Scheduler::Done(Part& part, double now) {
  Job& job = *part.job;
  if (part.answer != nullptr) {
    part.answer->session().Decoded();
    return;
  }
  job.session->SliceRead();
  job.last_turn = now;
  job.has_begun = true;
  if (part.slice.range.kind == StepKind::kReread) return;
  metrics_->prompt_tokens += part.slice.range.count;
  job.ticket->Put(PromptProgress{job.prompt_tokens, job.cached, job.session->read(), now - job.started});
}

void Scheduler::TakeTokens() {
  for (Job& job : jobs_) {
    bool took = false;
    for (GrowingAnswer& answer : job.answers) {
      if (answer.ended() || !answer.session().HasLogits()) continue;
      answer.TakeToken(job.request, *job.ticket);
      took = true;
    }
    if (!took) continue;
    const double now = Now();
    if (job.first_token == 0) {
      job.first_token = now;
      metrics_->first_token.Observe(now - job.submitted);
    } else {
      metrics_->between_tokens.Observe(now - job.last_token);
    }
    job.last_token = now;
  }
}

void Scheduler::FinishJobs() {
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    const auto next = std::next(job);
    const auto ended = [](const GrowingAnswer& answer) { return answer.ended(); };
    if (job->answering() && std::all_of(job->answers.begin(), job->answers.end(), ended)) {
      RequestEnded end{job->prompt_tokens,
                       job->cached,
                       0,
                       job->started - job->submitted,
                       job->first_token - job->started,
                       job->last_token - job->first_token};
      for (const GrowingAnswer& answer : job->answers) end.answer_tokens += answer.tokens();
      metrics_->answer_tokens += end.answer_tokens;
      ++metrics_->finished;
      GrowingAnswer& first = job->answers.back();  // answer 0 was begun last
      ObserveRecall(first.session(), model_->engine().config().layers, metrics_);
      if (job->request.on_end) job->request.on_end(first.session());
      if (job->request.reuse) Keep(first.TakeSession());
      Forget(job)->Put(end);
    }
    job = next;
  }
}

void Scheduler::Keep(std::unique_ptr<Session::Impl> session) {
  cache_.Keep(std::move(session));
  metrics_->cache_bytes = cache_.bytes();
  metrics_->cached_sessions = cache_.count();
}

void Scheduler::UpdateGauges() {
  int64_t answering = 0;
  std::vector<Session::Impl*> serving;
  for (Job& job : jobs_) {
    if (job.answering()) ++answering;
    if (job.session != nullptr) serving.push_back(job.session.get());
    for (GrowingAnswer& answer : job.answers) serving.push_back(&answer.session());
  }
  metrics_->answering = answering;
  metrics_->reading = static_cast<int64_t>(jobs_.size()) - answering;
  if (!jobs_.empty() && Now() < measured_ + kMeasureSeconds) return;
  measured_ = Now();
  MeasureMemory(serving, cache_.sessions(), tier_.get(), metrics_);
}

void Scheduler::Drain() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    draining_ = true;
  }
  changed_.notify_all();
}

void Scheduler::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

// False: there is none and there will be none.
bool Scheduler::WaitForWork() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || draining_ || !queue_.empty() || !jobs_.empty(); });
  return !stopped_ && (!queue_.empty() || !jobs_.empty());
}

void Scheduler::Run() {
  while (WaitForWork()) Step();
  std::deque<Job> queue;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    queue = std::exchange(queue_, {});
  }
  for (const Job& job : queue) job.ticket->Put(RequestFailed{Unserved()});
  while (!jobs_.empty()) Fail(jobs_.front(), Unserved());
}

}  // namespace ltri
