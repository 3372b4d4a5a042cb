// Summary: records as figures: by task and target, by target, by depth, by layer.
#ifndef LTRI_EVAL_REPORT_SUMMARY_H_
#define LTRI_EVAL_REPORT_SUMMARY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "eval/report/statistics.h"
#include "eval/run/record.h"

namespace ltri {

// Of the samples whose evidence is known, how many were ... Found: at least half of the evidence was visible, mean over
// the answer's first tokens and the retrieval heads. Used: the score is at least one half.
struct EvidenceUse {
  int64_t known = 0;
  int64_t found_and_used = 0;
  int64_t found_not_used = 0;
  int64_t not_found = 0;
  int64_t right_all_the_same = 0;  // not found, and right
};

struct Figures {
  int64_t count = 0;
  double score = 0;  // mean, 0..1
  Interval interval;
  double recall_first = -1;  // means over samples whose evidence is known; < 0: there are none
  double recall = -1;
  double mass = -1;  // of dense attention on what was visible at the first token; < 0: not measured
  EvidenceUse use;
  double prefill_rate = 0;  // tokens/s
  double decode_rate = 0;
  double key_value_bytes = 0;
  double index_bytes = 0;
};

// One target at one task and length.
struct TaskFigures {
  std::string target;
  std::string task;
  std::string source;
  int64_t length = 0;
  Figures figures;
};

// One cell of a heat map.
struct DepthFigures {
  std::string target;
  std::string task;
  int64_t length = 0;
  double depth = 0;
  int64_t count = 0;
  double score = 0;
};

struct TargetFigures {
  std::string target;
  int64_t tasks = 0;                // tasks and lengths
  Figures figures;                  // score: mean over tasks and lengths; interval by bootstrap
  std::vector<float> layer_recall;  // at the answer's first token, mean over heads and samples; may be empty
};

struct Summary {
  std::vector<TargetFigures> targets;  // in the order of their first records
  std::vector<TaskFigures> tasks;
  std::vector<DepthFigures> depths;
};

Figures FiguresOf(const std::vector<const Record*>& records);

// heads: of each layer; 0: not known. Targets in the order given; others are left out.
Summary Summarize(const std::vector<Record>& records, const std::vector<std::string>& targets, int64_t heads);

// "ruler/niah_single_2 [stand-in: gibbon.txt]": never the bare name for stand-in texts.
std::string LabelOf(const std::string& task, const std::string& source);

}  // namespace ltri

#endif  // LTRI_EVAL_REPORT_SUMMARY_H_
