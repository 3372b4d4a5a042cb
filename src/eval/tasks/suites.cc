#include "eval/tasks/suites.h"

#include <iterator>

namespace ltri {
namespace {

constexpr int64_t kQuickRulerSamples = 3;  // of each of four tasks, for one of each of four depths

std::vector<double> Tenths() {
  std::vector<double> depths;
  depths.reserve(11);
  for (int i = 0; i <= 10; ++i) depths.push_back(i / 10.0);
  return depths;
}

SuiteSettings Settings(std::vector<int64_t> lengths, std::vector<double> depths, int64_t samples) {
  SuiteSettings settings;
  settings.lengths = std::move(lengths);
  settings.depths = std::move(depths);
  settings.samples = samples;
  return settings;
}

}  // namespace

// Tasks that a small model can do when it is shown what it needs.
Result<Plan> PlanQuick(const ContextPtr& context, const SuiteSettings& settings) {
  SuiteSettings needles = settings;
  needles.tasks = {"number"};
  SuiteSettings ruler = settings;
  ruler.samples = kQuickRulerSamples * settings.samples;
  ruler.tasks = {"niah_single_2", "niah_multikey_1", "niah_multivalue", "niah_multiquery"};
  Plan plan;
  for (Result<Plan> part : {PlanNiah(context, needles), PlanRuler(context, ruler)}) {
    if (!part.ok()) return part.error();
    std::move(part->samples.begin(), part->samples.end(), std::back_inserter(plan.samples));
    std::move(part->skipped.begin(), part->skipped.end(), std::back_inserter(plan.skipped));
  }
  return plan;
}

const std::vector<Suite>& Suites() {
  static const std::vector<Suite> suites = {
      {"niah", "One needle by depth and length", PlanNiah, Settings({4096, 8192}, Tenths(), 2)},
      {"ruler", "RULER's thirteen tasks", PlanRuler, Settings({4096}, {}, 20)},
      {"needlebench", "Needles and chains of relatives, in English and Chinese", PlanNeedleBench,
       Settings({4096}, {0, 0.25, 0.5, 0.75, 1}, 4)},
      {"infinitebench", "Infinity-Bench: six tasks made anew, all twelve from official files", PlanInfiniteBench,
       Settings({8192}, {}, 20)},
      {"longbench", "LongBench v1 and v2, from official files", PlanLongBench, Settings({0}, {}, 1 << 20)},
      {"quick", "Five tasks at one length, in about five minutes on two cores", PlanQuick,
       Settings({4096}, {0.1, 0.3, 0.5, 0.7}, 1)},
  };
  return suites;
}

}  // namespace ltri
