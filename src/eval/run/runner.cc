#include "eval/run/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "eval/evidence.h"

namespace ltri {
namespace {

class Runner {
 public:
  Runner(const Plan& plan, const std::vector<std::unique_ptr<Target>>& targets, const RunOptions& options,
         ResultsStore& store)
      : plan_(plan), targets_(targets), options_(options), store_(store) {
    state_.total = static_cast<int64_t>(plan.samples.size() * targets.size());
    for (const PlannedSample& sample : plan.samples) {
      for (const auto& target : targets) state_.done += store.Has(target->name(), sample.id) ? 1 : 0;
    }
    at_start_ = state_.done;
  }

  Status Run() {
    const std::vector<PlannedSample>& samples = plan_.samples;
    for (size_t begin = 0; begin < samples.size();) {
      size_t end = begin;
      while (end < samples.size() && samples[end].task == samples[begin].task &&
             samples[end].length == samples[begin].length) {
        ++end;
      }
      for (const auto& target : targets_) {
        if (Status status = RunCell(*target, begin, end); !status.ok()) return status;
      }
      made_.clear();
      begin = end;
    }
    return {};
  }

 private:
  Status RunCell(Target& target, size_t begin, size_t end) {
    state_.target = target.name();
    state_.task = plan_.samples[begin].task;
    for (size_t i = begin; i < end; ++i) {
      if (store_.Has(target.name(), plan_.samples[i].id)) continue;
      if (Status status = RunSample(target, i); !status.ok()) return status;
    }
    if (!options_.cell_done) return {};
    std::vector<Record> records;
    for (const Record& record : store_.records()) {
      const bool here = record.target == target.name() && record.task == plan_.samples[begin].task &&
                        record.length == plan_.samples[begin].length;
      if (here) records.push_back(record);
    }
    options_.cell_done(records);
    return {};
  }

  // Made once for all targets.
  Result<const Sample*> SampleAt(size_t i) {
    const auto made = made_.find(i);
    if (made != made_.end()) return &made->second;
    Result<Sample> sample = plan_.samples[i].make();
    if (!sample.ok()) return sample.error();
    if (options_.max_tokens > 0) sample->max_tokens = std::min(sample->max_tokens, options_.max_tokens);
    return &made_.emplace(i, std::move(*sample)).first->second;
  }

  Status RunSample(Target& target, size_t i) {
    const Result<const Sample*> sample = SampleAt(i);
    if (!sample.ok()) return sample.error();
    Result<TrialAnswer> answer = target.Ask(**sample, [this](const Progress& progress) { return Watch(progress); });
    if (!answer.ok() && answer.error().code == ErrorCode::kCancelled) {
      return Error{ErrorCode::kCancelled, fmt::format("stopped after {} of {} answers", state_.done, state_.total)};
    }
    if (!answer.ok()) return answer.error();
    Record record{
        target.name(),    plan_.samples[i].id,           (*sample)->task,       (*sample)->source, (*sample)->length,
        (*sample)->depth, Score(**sample, answer->text), (*sample)->references, std::move(*answer)};
    if (options_.model != nullptr && !record.answer.heads_first.empty()) {
      record.recall_first = WeightedRecall(record.answer.heads_first, options_.table, *options_.model);
      record.recall = WeightedRecall(record.answer.heads_mean, options_.table, *options_.model);
    }
    ++state_.done;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
    state_.seconds_left = seconds.count() / static_cast<double>(state_.done - at_start_) *
                          static_cast<double>(state_.total - state_.done);
    return store_.Add(std::move(record));
  }

  bool Watch(const Progress& progress) {
    state_.sample = progress;
    return !options_.watch || options_.watch(state_);
  }

  const Plan& plan_;
  const std::vector<std::unique_ptr<Target>>& targets_;
  const RunOptions& options_;
  ResultsStore& store_;
  RunState state_;
  int64_t at_start_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::map<size_t, Sample> made_;
};

}  // namespace

Status RunPlan(const Plan& plan, const std::vector<std::unique_ptr<Target>>& targets, const RunOptions& options,
               ResultsStore& store) {
  return Runner(plan, targets, options, store).Run();
}

}  // namespace ltri
