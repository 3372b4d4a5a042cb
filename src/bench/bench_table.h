// A BenchReport for a terminal, piece by piece as it is measured.
#ifndef LTRI_BENCH_BENCH_TABLE_H_
#define LTRI_BENCH_BENCH_TABLE_H_

#include <optional>
#include <string>

#include "bench/bench_report.h"

namespace ltri {

std::string LimitsText(const MachineLimits& limits, int threads);
std::string BenchTableHead(BenchSection section);
std::string BenchTableLine(const BenchRow& row, const std::optional<MachineLimits>& limits);

}  // namespace ltri

#endif  // LTRI_BENCH_BENCH_TABLE_H_
