// Sample: one prompt of a benchmark with what is right, as text: it fits any model and any server.
#ifndef LTRI_EVAL_SAMPLE_H_
#define LTRI_EVAL_SAMPLE_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/score/scorer.h"
#include "ltri/result.h"

namespace ltri {

// Bytes [begin, end) of a prompt.
struct ByteRange {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const ByteRange&) const = default;
};

struct Sample {
  std::string task;           // "ruler/niah_single_2"
  std::string source;         // of the data: "synthetic", "official: FILE (sha256 ...)", "stand-in: FILE"
  int64_t length = 0;         // tokens that were asked for, those of the answer included; 0: as the data has it
  double depth = -1;          // where the evidence lies, 0 (start) to 1 (end); < 0: no single place
  int64_t index = 0;          // within task, length and depth
  std::string prompt;         // the user's turn
  std::string answer_prefix;  // the answer's beginning, given to the model
  int64_t max_tokens = 0;     // of the answer
  std::string scorer;         // by name (eval/score/scorer.h)
  References references;
  bool first_line = false;          // only the first line of the answer counts
  bool plain = false;               // never within a chat template
  std::vector<ByteRange> evidence;  // of the prompt: what the answer needs; empty: not known
};

// "ruler/niah_single_2/4096/-/3": the same in every run with the same settings.
std::string SampleId(const Sample& sample);

// Whether the data are neither official nor made by the benchmark's own rules alone.
bool IsStandIn(const std::string& source);

// 0..1.
double Score(const Sample& sample, const std::string& answer);

// The fields of a line of a JSONL file. RULER's names (input, outputs, ...) are written and read.
nlohmann::ordered_json SampleJson(const Sample& sample);
// Error kCorrupt names the field.
Result<Sample> SampleFromJson(const nlohmann::ordered_json& json);

}  // namespace ltri

#endif  // LTRI_EVAL_SAMPLE_H_
