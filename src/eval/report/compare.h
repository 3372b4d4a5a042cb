// Compare: two targets over the samples that both answered, so that noise is not called a gain.
#ifndef LTRI_EVAL_REPORT_COMPARE_H_
#define LTRI_EVAL_REPORT_COMPARE_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/report/statistics.h"
#include "eval/run/record.h"

namespace ltri {

struct Difference {
  std::string task;  // empty: the mean over tasks and lengths
  int64_t length = 0;
  int64_t pairs = 0;
  double before = 0;  // scores, 0..1
  double after = 0;
  Interval interval;  // of after - before, paired bootstrap
  bool is_clear() const { return interval.low > 0 || interval.high < 0; }
};

// Task by task, the mean last. Error kInvalidArgument when no sample is in both.
Result<std::vector<Difference>> Compare(const std::vector<Record>& before, const std::vector<Record>& after);

std::string ComparisonTable(const std::vector<Difference>& differences);
nlohmann::ordered_json ComparisonJson(const std::vector<Difference>& differences);

}  // namespace ltri

#endif  // LTRI_EVAL_REPORT_COMPARE_H_
