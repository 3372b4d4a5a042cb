#include "cli/needle_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/session_options.h"

namespace ltri {
namespace {

constexpr double kMega = 1e6;

double Rate(double tokens, double seconds) { return seconds > 0 ? tokens / seconds : 0.0; }

nlohmann::ordered_json SummaryJson(const NeedleGroup& group) {
  const NeedleSummary s = Summarize(group);
  return {{"method", group.session.method},
          {"tokens", group.tokens},
          {"prompts", s.prompts},
          {"correct", s.correct},
          {"score", s.prompts > 0 ? static_cast<double>(s.correct) / static_cast<double>(s.prompts) : 0.0},
          {"recall_first", s.recall_first},
          {"recall_eight", s.recall_eight},
          {"recall_layers", s.recall_layers},
          {"prefill_tokens_per_second", s.prefill_rate},
          {"decode_tokens_per_second", s.decode_rate},
          {"key_value_bytes", s.key_value_bytes},
          {"index_bytes", s.index_bytes},
          {"settings", SessionSettings(group.session)}};
}

nlohmann::ordered_json RowJson(const NeedleGroup& group, const NeedleRow& row) {
  const NeedleTrial& trial = row.trial;
  return {{"method", group.session.method},
          {"tokens", group.tokens},
          {"key", row.prompt.key},
          {"answer", row.prompt.answer},
          {"evidence", {row.prompt.evidence.begin, row.prompt.evidence.end}},
          {"text", trial.text},
          {"correct", trial.correct},
          {"recall_first", trial.recall_first},
          {"recall_eight", trial.recall_eight},
          {"recall_layers", trial.recall_layers},
          {"layers", trial.layers},
          {"prefill_seconds", trial.prefill_seconds},
          {"first_token_seconds", trial.first_token_seconds},
          {"decode_seconds", trial.decode_seconds},
          {"answer_tokens", trial.answer_tokens},
          {"key_value_bytes", trial.memory.keys_and_values},
          {"index_bytes", trial.memory.index}};
}

}  // namespace

NeedleSummary Summarize(const NeedleGroup& group) {
  NeedleSummary sum;
  double prefill = 0;
  double decode = 0;
  double answer_tokens = 0;
  for (const NeedleRow& row : group.rows) {
    const NeedleTrial& trial = row.trial;
    sum.prompts += 1;
    sum.correct += trial.correct ? 1 : 0;
    sum.recall_first += trial.recall_first;
    sum.recall_eight += trial.recall_eight;
    sum.recall_layers += trial.recall_layers;
    sum.key_value_bytes += static_cast<double>(trial.memory.keys_and_values);
    sum.index_bytes += static_cast<double>(trial.memory.index);
    prefill += trial.prefill_seconds;
    decode += trial.decode_seconds;
    answer_tokens += static_cast<double>(trial.answer_tokens);
  }
  if (sum.prompts == 0) return sum;
  const auto count = static_cast<double>(sum.prompts);
  for (double* mean :
       {&sum.recall_first, &sum.recall_eight, &sum.recall_layers, &sum.key_value_bytes, &sum.index_bytes}) {
    *mean /= count;
  }
  sum.prefill_rate = Rate(count * static_cast<double>(group.tokens), prefill);
  sum.decode_rate = Rate(answer_tokens, decode);
  return sum;
}

std::string NeedleTableHead() {
  const auto line = [](auto... parts) {
    return fmt::format("{:<10} {:>7} {:>8} {:>7} {:>7} {:>7} {:>9} {:>8} {:>8} {:>8}\n", parts...);
  };
  return line("", "", "", "recall", "recall", "recall", "prefill", "decode", "KV", "index") +
         line("method", "tokens", "correct", "first", "eight", "layers", "tokens/s", "tokens/s", "MB", "MB");
}

std::string NeedleTableLine(const NeedleGroup& group) {
  const NeedleSummary s = Summarize(group);
  return fmt::format("{:<10} {:>7} {:>8} {:>7.3f} {:>7.3f} {:>7.3f} {:>9.0f} {:>8.1f} {:>8.1f} {:>8.2f}\n",
                     group.session.method, group.tokens, fmt::format("{}/{}", s.correct, s.prompts), s.recall_first,
                     s.recall_eight, s.recall_layers, s.prefill_rate, s.decode_rate, s.key_value_bytes / kMega,
                     s.index_bytes / kMega);
}

nlohmann::ordered_json NeedleJson(const ModelInfo& model, const std::vector<NeedleGroup>& groups) {
  nlohmann::ordered_json json = {{"eval", "needle"}, {"model", model.path}};
  json["head_table"] = !model.head_table.empty();
  json["summary"] = nlohmann::ordered_json::array();
  json["prompts"] = nlohmann::ordered_json::array();
  for (const NeedleGroup& group : groups) {
    json["summary"].push_back(SummaryJson(group));
    for (const NeedleRow& row : group.rows) json["prompts"].push_back(RowJson(group, row));
  }
  return json;
}

}  // namespace ltri
