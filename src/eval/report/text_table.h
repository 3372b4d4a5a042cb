// The results as text, line by line as they come, and in the end.
#ifndef LTRI_EVAL_REPORT_TEXT_TABLE_H_
#define LTRI_EVAL_REPORT_TEXT_TABLE_H_

#include <string>

#include "eval/report/needle_bench_score.h"
#include "eval/report/summary.h"

namespace ltri {

// One task, length and target a line.
std::string TaskTableHead();
std::string TaskTableLine(const TaskFigures& row);

// One target a line: the means over tasks and lengths.
std::string SummaryTable(const Summary& summary);
std::string NeedleBenchTable(const std::vector<NeedleBenchScore>& scores);

}  // namespace ltri

#endif  // LTRI_EVAL_REPORT_TEXT_TABLE_H_
