#include "bench/rounds.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

namespace ltri {
namespace {

constexpr double kSatOut = std::numeric_limits<double>::quiet_NaN();

std::vector<double> Numbers(const std::vector<double>& values) {
  std::vector<double> numbers;
  std::copy_if(values.begin(), values.end(), std::back_inserter(numbers), [](double v) { return !std::isnan(v); });
  return numbers;
}

}  // namespace

Result<std::vector<std::vector<double>>> PlayRounds(size_t contenders, const RoundRules& rules, const Turn& turn) {
  const auto rounds = static_cast<size_t>(rules.rounds);
  std::vector<std::vector<double>> seconds(contenders, std::vector<double>(rounds, kSatOut));
  std::vector<bool> slow(contenders, false);
  for (size_t round = 0; round < rounds; ++round) {
    if (round > 0 && rules.enough && rules.enough()) break;
    for (size_t i = 0; i < contenders; ++i) {
      const size_t contender = (i + round) % contenders;
      if (slow[contender] && round >= static_cast<size_t>(rules.long_rounds)) continue;
      std::this_thread::sleep_for(std::chrono::duration<double>(rules.pause));
      const Result<double> taken = turn(contender);
      if (!taken.ok()) return taken.error();
      seconds[contender][round] = *taken;
      slow[contender] = slow[contender] || *taken > rules.long_turn;
    }
  }
  return seconds;
}

double Median(const std::vector<double>& values) {
  std::vector<double> sorted = Numbers(values);
  if (sorted.empty()) return 0;
  std::sort(sorted.begin(), sorted.end());
  const size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

size_t CountNumbers(const std::vector<double>& values) { return Numbers(values).size(); }

double MedianRatio(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    if (!std::isnan(ours[i]) && !std::isnan(theirs[i])) ratios.push_back(ours[i] / theirs[i]);
  }
  return ratios.empty() ? kSatOut : Median(ratios);
}

}  // namespace ltri
