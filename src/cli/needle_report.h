// NeedleReport: what `ltri eval needle` found, as a table and as JSON.
#ifndef LTRI_CLI_NEEDLE_REPORT_H_
#define LTRI_CLI_NEEDLE_REPORT_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/needle_trial.h"
#include "ltri/options.h"

namespace ltri {

struct NeedleRow {
  NeedlePrompt prompt;
  NeedleTrial trial;
};

// All prompts of one method at one length.
struct NeedleGroup {
  SessionOptions session;
  int64_t tokens = 0;  // of each prompt
  std::vector<NeedleRow> rows;
};

// Means and sums of a group.
struct NeedleSummary {
  int64_t prompts = 0;
  int64_t correct = 0;
  double recall_first = 0;
  double recall_eight = 0;
  double recall_layers = 0;
  double prefill_rate = 0;  // tokens/s
  double decode_rate = 0;
  double key_value_bytes = 0;
  double index_bytes = 0;
};

NeedleSummary Summarize(const NeedleGroup& group);

// The table comes line by line: a group each, as soon as it is measured.
std::string NeedleTableHead();
std::string NeedleTableLine(const NeedleGroup& group);

// Where the model's retrieval heads are not known, recalls are plain means.
nlohmann::ordered_json NeedleJson(const ModelInfo& model, const std::vector<NeedleGroup>& groups);

}  // namespace ltri

#endif  // LTRI_CLI_NEEDLE_REPORT_H_
