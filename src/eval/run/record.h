// Record: what one target answered to one sample, and how good that is.
#ifndef LTRI_EVAL_RUN_RECORD_H_
#define LTRI_EVAL_RUN_RECORD_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/sample.h"
#include "eval/trial.h"

namespace ltri {

struct Record {
  std::string target;
  std::string id;  // SampleId
  std::string task;
  std::string source;
  int64_t length = 0;
  double depth = -1;
  double score = 0;  // 0..1
  References references;
  TrialAnswer answer;
  // Evidence recall weighted by the retrieval heads, 0..1; < 0: the evidence is not known, or not watched.
  double recall_first = -1;  // at the answer's first token
  double recall = -1;        // over its first eight
};

// One line of samples.jsonl. The recalls of single heads are kept to two digits.
nlohmann::ordered_json RecordJson(const Record& record);
// Error kCorrupt names what is missing.
Result<Record> RecordFromJson(const nlohmann::ordered_json& json);

}  // namespace ltri

#endif  // LTRI_EVAL_RUN_RECORD_H_
