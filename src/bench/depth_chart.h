// DepthChart: decoded tokens a second over the depth, a line for each method, as an SVG picture for light and dark
// pages.
#ifndef LTRI_BENCH_DEPTH_CHART_H_
#define LTRI_BENCH_DEPTH_CHART_H_

#include <string>

#include "bench/bench_report.h"

namespace ltri {

// Of the first weight type that has decode rows. The depth's axis is logarithmic, with 0 at its left end.
std::string DrawDepthChart(const BenchReport& report);

}  // namespace ltri

#endif  // LTRI_BENCH_DEPTH_CHART_H_
