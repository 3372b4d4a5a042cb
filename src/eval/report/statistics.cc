#include "eval/report/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"

namespace ltri {
namespace {

constexpr double kNormal = 1.959963984540054;  // of 95 %
constexpr int64_t kDraws = 2000;
constexpr uint64_t kSeed = 20241106;

}  // namespace

double Mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Interval WilsonInterval(double mean, int64_t count) {
  if (count <= 0) return {0, 1};
  const auto n = static_cast<double>(count);
  const double z2 = kNormal * kNormal;
  const double middle = (mean + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kNormal / (1 + z2 / n) * std::sqrt(mean * (1 - mean) / n + z2 / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

double MeanOfMeans(const std::vector<std::vector<double>>& groups) {
  std::vector<double> means;
  for (const std::vector<double>& group : groups) {
    if (!group.empty()) means.push_back(Mean(group));
  }
  return Mean(means);
}

Interval BootstrapInterval(const std::vector<std::vector<double>>& groups) {
  Random random(kSeed);
  std::vector<double> results;
  for (int64_t draw = 0; draw < kDraws; ++draw) {
    std::vector<double> means;
    for (const std::vector<double>& group : groups) {
      const auto count = static_cast<int64_t>(group.size());
      double sum = 0;
      for (int64_t i = 0; i < count; ++i) sum += group[static_cast<size_t>(random.Below(count))];
      if (count > 0) means.push_back(sum / static_cast<double>(count));
    }
    results.push_back(Mean(means));
  }
  std::sort(results.begin(), results.end());
  return {results[static_cast<size_t>(kDraws * 0.025)], results[static_cast<size_t>(kDraws * 0.975) - 1]};
}

}  // namespace ltri
