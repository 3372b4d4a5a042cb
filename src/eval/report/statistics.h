// Means with intervals: what a difference of a few samples is worth.
#ifndef LTRI_EVAL_REPORT_STATISTICS_H_
#define LTRI_EVAL_REPORT_STATISTICS_H_

#include <cstdint>
#include <vector>

namespace ltri {

// 95 %.
struct Interval {
  double low = 0;
  double high = 0;
};

double Mean(const std::vector<double>& values);

// Wilson's interval for a mean of `count` values within 0..1; exact in spirit for right and wrong, wide enough for
// scores between.
Interval WilsonInterval(double mean, int64_t count);

// Percentile bootstrap of the mean over groups of each group's mean: every group's values are drawn again with
// replacement. Deterministic. Groups without values are left out.
Interval BootstrapInterval(const std::vector<std::vector<double>>& groups);

// The mean over groups of each group's mean.
double MeanOfMeans(const std::vector<std::vector<double>>& groups);

}  // namespace ltri

#endif  // LTRI_EVAL_REPORT_STATISTICS_H_
