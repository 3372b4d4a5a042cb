// Rounds: everybody takes a turn in every round, and what comes out of it is compared round by round.
#ifndef LTRI_BENCH_ROUNDS_H_
#define LTRI_BENCH_ROUNDS_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "ltri/result.h"

namespace ltri {

struct RoundRules {
  int rounds = 5;
  double long_turn = 60;  // seconds; whoever took longer once stops after `long_rounds`
  int long_rounds = 3;
  std::function<bool()> enough;  // asked before each round but the first: true ends it; may be empty
  double pause = 0.05;           // seconds between turns, so that whoever was before has stopped polling for work
};

// Lets contender i take its turn; returns seconds.
using Turn = std::function<Result<double>(size_t contender)>;

// The seconds of each, [contenders][rounds]; no number (NaN) where it sat out. Each round begins with the next one.
Result<std::vector<std::vector<double>>> PlayRounds(size_t contenders, const RoundRules& rules, const Turn& turn);

// Of the values that are numbers; 0 when there are none.
double Median(const std::vector<double>& values);
size_t CountNumbers(const std::vector<double>& values);

// The median of ours[i] / theirs[i] over the rounds that both took part in; NaN when there are none.
double MedianRatio(const std::vector<double>& ours, const std::vector<double>& theirs);

}  // namespace ltri

#endif  // LTRI_BENCH_ROUNDS_H_
