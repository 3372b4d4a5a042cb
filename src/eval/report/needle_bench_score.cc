#include "eval/report/needle_bench_score.h"

#include <cstdlib>
#include <limits>

namespace ltri {
namespace {

constexpr int64_t kShortTrace = 64;
constexpr double kEffective = 0.5;
constexpr const char* kPrefix = "needlebench/";

double MeanOrNone(const std::vector<double>& values) { return values.empty() ? -1.0 : Mean(values); }

NeedleBenchScore ScoreOf(const Summary& summary, const std::string& target) {
  std::vector<double> single;
  std::vector<double> multi;
  std::vector<double> reasoning;
  std::map<int64_t, std::vector<double>> traces;  // by needles; one score a language
  for (const TaskFigures& task : summary.tasks) {
    if (task.target != target || !task.task.starts_with(kPrefix)) continue;
    const std::string name = task.task.substr(std::string_view(kPrefix).size());
    if (name.starts_with("single")) single.push_back(task.figures.score);
    if (name.starts_with("multi_retrieval")) multi.push_back(task.figures.score);
    if (name.starts_with("multi_reasoning")) reasoning.push_back(task.figures.score);
    if (name.starts_with("ancestral")) {
      traces[std::strtoll(name.c_str() + name.rfind('_') + 1, nullptr, 10)].push_back(task.figures.score);
    }
  }
  std::map<int64_t, double> trace;
  for (const auto& [needles, scores] : traces) trace[needles] = Mean(scores);
  NeedleBenchScore score{target, MeanOrNone(single), MeanOrNone(multi), MeanOrNone(reasoning)};
  if (score.single >= 0 && score.multi >= 0 && score.reasoning >= 0) {
    score.overall = (score.single + score.multi + score.reasoning) / 3;
  }
  score.trace_short = WeightedByNeedles(trace, kShortTrace);
  score.trace = WeightedByNeedles(trace, std::numeric_limits<int64_t>::max());
  score.effective_needles = EffectiveNeedles(trace);
  return score;
}

}  // namespace

double WeightedByNeedles(const std::map<int64_t, double>& scores, int64_t most) {
  double sum = 0;
  double weights = 0;
  for (const auto& [needles, score] : scores) {
    if (needles > most) continue;
    sum += score * static_cast<double>(needles);
    weights += static_cast<double>(needles);
  }
  return weights > 0 ? sum / weights : -1.0;
}

int64_t EffectiveNeedles(const std::map<int64_t, double>& scores) {
  int64_t most = 0;
  for (const auto& [needles, score] : scores) {
    if (score >= kEffective) most = needles;
  }
  return most;
}

std::vector<NeedleBenchScore> NeedleBenchScores(const Summary& summary) {
  std::vector<NeedleBenchScore> scores;
  for (const TargetFigures& target : summary.targets) {
    NeedleBenchScore score = ScoreOf(summary, target.target);
    if (score.single >= 0 || score.multi >= 0 || score.reasoning >= 0 || score.trace >= 0) {
      scores.push_back(std::move(score));
    }
  }
  return scores;
}

}  // namespace ltri
