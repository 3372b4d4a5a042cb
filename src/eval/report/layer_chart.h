// LayerChart: evidence recall by layer, a line for each target, as an SVG picture.
#ifndef LTRI_EVAL_REPORT_LAYER_CHART_H_
#define LTRI_EVAL_REPORT_LAYER_CHART_H_

#include <string>
#include <vector>

#include "eval/report/summary.h"

namespace ltri {

// Targets without recall are left out; empty when there are none with it.
std::string DrawLayerChart(const std::vector<TargetFigures>& targets);

}  // namespace ltri

#endif  // LTRI_EVAL_REPORT_LAYER_CHART_H_
