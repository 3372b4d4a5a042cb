// BenchRun: measures every method, and llama.cpp beside them, at every length, for every weight type.
#ifndef LTRI_BENCH_BENCH_RUN_H_
#define LTRI_BENCH_BENCH_RUN_H_

#include <functional>
#include <string>

#include "bench/bench_report.h"
#include "bench/bench_settings.h"
#include "bench/contender.h"

namespace ltri {

// What the caller hears of it. Each may be empty.
struct BenchWatch {
  StopCheck stop;
  std::function<void(const std::string& what)> doing;
  std::function<void(const MachineLimits& limits)> limits;
  std::function<void(const BenchRow& row)> row;  // as soon as it is known
};

// Errors: those of the model and its methods; kInvalidArgument when the text is too short; kCancelled.
Result<BenchReport> RunBench(const BenchSettings& settings, const BenchWatch& watch);

}  // namespace ltri

#endif  // LTRI_BENCH_BENCH_RUN_H_
