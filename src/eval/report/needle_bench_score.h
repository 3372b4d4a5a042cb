// NeedleBench's own sums: the three haystack tasks, and the Ancestral Trace Challenge weighted by its needles.
#ifndef LTRI_EVAL_REPORT_NEEDLE_BENCH_SCORE_H_
#define LTRI_EVAL_REPORT_NEEDLE_BENCH_SCORE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "eval/report/summary.h"

namespace ltri {

// 0..1; < 0: not measured.
struct NeedleBenchScore {
  std::string target;
  double single = -1;
  double multi = -1;
  double reasoning = -1;
  double overall = -1;            // plain mean of the three (second version), when all are there
  double trace_short = -1;        // up to 64 needles, about 2K tokens
  double trace = -1;              // all numbers of needles
  int64_t effective_needles = 0;  // the most needles with at least half of the answers right; 0: none
};

// score by number of needles -> sum of score * needles / sum of needles. < 0 when there is none.
double WeightedByNeedles(const std::map<int64_t, double>& scores, int64_t most);
int64_t EffectiveNeedles(const std::map<int64_t, double>& scores);

// One for each target that has tasks of NeedleBench.
std::vector<NeedleBenchScore> NeedleBenchScores(const Summary& summary);

}  // namespace ltri

#endif  // LTRI_EVAL_REPORT_NEEDLE_BENCH_SCORE_H_
