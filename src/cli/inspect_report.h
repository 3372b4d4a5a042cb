// InspectReport: all that `ltri inspect` says about a file, and its two forms.
#ifndef LTRI_CLI_INSPECT_REPORT_H_
#define LTRI_CLI_INSPECT_REPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weights/gguf_file.h"
#include "weights/model_config.h"
#include "weights/session_cost.h"

namespace ltri {

struct TypeSummary {
  int64_t tensors = 0;
  int64_t values = 0;
  int64_t bytes = 0;
};

struct SpecialToken {
  std::string role;  // "bos", "eos", ...
  int64_t id = 0;
  std::string text;
};

struct TokenizerSummary {
  std::string kind;  // as in the file: "gpt2", "llama", ...; empty when there is none
  std::string pre;   // of the splitting rule; may be empty
  int64_t tokens = 0;
  std::vector<SpecialToken> special;
  int64_t chat_template_bytes = 0;  // 0: none
};

// Which heads vote on spans.
struct VoterSummary {
  bool known = false;       // from a head table; else all do
  int64_t heads = 0;        // that vote
  int64_t index_heads = 0;  // KV heads that are indexed for them
};

struct InspectReport {
  const GgufFile* file = nullptr;
  ModelConfig config;
  SessionCost cost;
  VoterSummary voters;
  TokenizerSummary tokenizer;
  std::map<std::string, TypeSummary> types;  // by name
  TypeSummary total;
};

// head_table: [layers * heads]; empty: not known.
InspectReport MakeInspectReport(const GgufFile& file, const ModelConfig& config, const std::vector<float>& head_table);

// `tensors`: list every tensor too.
std::string FormatText(const InspectReport& report, bool tensors);
std::string FormatJson(const InspectReport& report, bool tensors);

}  // namespace ltri

#endif  // LTRI_CLI_INSPECT_REPORT_H_
