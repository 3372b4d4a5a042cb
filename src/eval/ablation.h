// Ablation: one decision of the method switched at a time, all else as given.
#ifndef LTRI_EVAL_ABLATION_H_
#define LTRI_EVAL_ABLATION_H_

#include <string>
#include <vector>

#include "ltri/options.h"

namespace ltri {

struct AblationRow {
  std::string name;  // "kappa 1"
  void (*change)(SessionOptions& options);
};

// The methods first, then the decisions in the order of docs/ltri.md.
const std::vector<AblationRow>& AblationRows();

}  // namespace ltri

#endif  // LTRI_EVAL_ABLATION_H_
