// HeatMap: scores over depth and length, as an SVG picture.
#ifndef LTRI_EVAL_REPORT_HEAT_MAP_H_
#define LTRI_EVAL_REPORT_HEAT_MAP_H_

#include <string>
#include <vector>

#include "eval/report/summary.h"

namespace ltri {

// cells: of one target and task. Lengths from left to right, depths from top to bottom; red is 0, blue is 1.
std::string DrawHeatMap(const std::string& title, const std::vector<DepthFigures>& cells);

}  // namespace ltri

#endif  // LTRI_EVAL_REPORT_HEAT_MAP_H_
