#include "eval/tasks/sized_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "eval/tasks/draw.h"

namespace ltri {
namespace {

constexpr int64_t kCloseEnough = 256;
constexpr int64_t kRetreat = 64;
constexpr double kLeastGrowth = 1.05;
constexpr double kMostGrowth = 16;

class Fitting {
 public:
  Fitting(std::shared_ptr<const TaskContext> context, SizedTask task)
      : context_(std::move(context)), task_(std::move(task)) {}

  Status Make(Random& random, Sample* sample) {
    if (!sizes_.contains(sample->length)) {
      if (Status status = Search(*sample); !status.ok()) return status;
    }
    int64_t size = sizes_[sample->length];
    const Random start = random;
    const Sample empty = *sample;
    while (true) {
      *sample = empty;
      random = start;
      const Result<int64_t> tokens = Build(size, random, sample);
      if (!tokens.ok()) return tokens.error();
      if (*tokens <= sample->length || size == task_.least) return {};
      size = std::max(task_.least, size - std::max<int64_t>(1, size / kRetreat));
    }
  }

 private:
  Result<int64_t> Build(int64_t size, Random& random, Sample* sample) const {
    if (Status status = task_.build(size, random, sample); !status.ok()) return status.error();
    const Result<int64_t> tokens = context_->meter->Count(sample->prompt + sample->answer_prefix);
    if (!tokens.ok()) return tokens.error();
    return *tokens + sample->max_tokens + context_->frame_tokens;
  }

  // The tokens of a sample that is only measured.
  Result<int64_t> Measure(int64_t size, const Sample& like) const {
    Sample sample = like;
    Random random = RandomOf(context_->seed, like.task, like.length, -1, -1);
    return Build(size, random, &sample);
  }

  Status Search(const Sample& like) {
    const Result<int64_t> smallest = Measure(task_.least, like);
    if (!smallest.ok()) return smallest.error();
    if (*smallest > like.length) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{} needs {} tokens at least, {} are too few", like.task, *smallest, like.length)};
    }
    // Grows by the length that is still missing, then halves what is left.
    int64_t fits = task_.least;
    int64_t fails = task_.most + 1;
    double growth = static_cast<double>(like.length) / static_cast<double>(std::max<int64_t>(*smallest, 1));
    while (fails - fits > std::max<int64_t>(1, fits / kCloseEnough)) {
      const auto guess =
          static_cast<int64_t>(static_cast<double>(fits) * std::clamp(growth, kLeastGrowth, kMostGrowth));
      const int64_t size = fails > task_.most ? std::clamp(guess, fits + 1, task_.most) : fits + (fails - fits) / 2;
      const Result<int64_t> tokens = Measure(size, like);
      if (!tokens.ok()) return tokens.error();
      (*tokens <= like.length ? fits : fails) = size;
      growth = static_cast<double>(like.length) / static_cast<double>(std::max<int64_t>(*tokens, 1));
    }
    sizes_[like.length] = fits;
    return {};
  }

  std::shared_ptr<const TaskContext> context_;
  SizedTask task_;
  std::map<int64_t, int64_t> sizes_;  // by length
};

}  // namespace

SampleMaker FitToLength(std::shared_ptr<const TaskContext> context, SizedTask task) {
  auto fitting = std::make_shared<Fitting>(std::move(context), std::move(task));
  return [fitting](Random& random, Sample* sample) { return fitting->Make(random, sample); };
}

}  // namespace ltri
