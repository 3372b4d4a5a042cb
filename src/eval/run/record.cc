#include "eval/run/record.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kKeptReferences = 20;  // of a list of thousands
constexpr float kPercent = 100;

std::vector<int> Percents(const std::vector<float>& shares) {
  std::vector<int> percents;
  percents.reserve(shares.size());
  for (const float share : shares) percents.push_back(static_cast<int>(std::lround(share * kPercent)));
  return percents;
}

std::vector<float> Shares(const Json& percents) {
  std::vector<float> shares;
  shares.reserve(percents.size());
  for (const Json& percent : percents) shares.push_back(percent.get<float>() / kPercent);
  return shares;
}

Json OrNull(double value) { return value < 0 ? Json() : Json(value); }

double OrNegative(const Json& value) { return value.is_null() ? -1.0 : value.get<double>(); }

}  // namespace

Json RecordJson(const Record& record) {
  const TrialAnswer& answer = record.answer;
  References kept = record.references;
  if (kept.size() > kKeptReferences) kept.resize(kKeptReferences);
  return {{"target", record.target},
          {"id", record.id},
          {"task", record.task},
          {"source", record.source},
          {"length", record.length},
          {"depth", OrNull(record.depth)},
          {"score", record.score},
          {"text", answer.text},
          {"references", kept},
          {"prompt_tokens", answer.prompt_tokens},
          {"answer_tokens", answer.answer_tokens},
          {"prefill_seconds", answer.prefill_seconds},
          {"first_token_seconds", answer.first_token_seconds},
          {"decode_seconds", answer.decode_seconds},
          {"key_value_bytes", answer.memory.keys_and_values},
          {"index_bytes", answer.memory.index},
          {"recall_first", OrNull(record.recall_first)},
          {"recall", OrNull(record.recall)},
          {"mass", OrNull(answer.mass)},
          {"heads_first_percent", Percents(answer.heads_first)},
          {"heads_percent", Percents(answer.heads_mean)}};
}

Result<Record> RecordFromJson(const Json& json) {
  Record record;
  try {
    TrialAnswer& answer = record.answer;
    json.at("target").get_to(record.target);
    json.at("id").get_to(record.id);
    json.at("task").get_to(record.task);
    json.at("source").get_to(record.source);
    json.at("length").get_to(record.length);
    record.depth = OrNegative(json.at("depth"));
    json.at("score").get_to(record.score);
    json.at("text").get_to(answer.text);
    json.at("references").get_to(record.references);
    json.at("prompt_tokens").get_to(answer.prompt_tokens);
    json.at("answer_tokens").get_to(answer.answer_tokens);
    json.at("prefill_seconds").get_to(answer.prefill_seconds);
    json.at("first_token_seconds").get_to(answer.first_token_seconds);
    json.at("decode_seconds").get_to(answer.decode_seconds);
    json.at("key_value_bytes").get_to(answer.memory.keys_and_values);
    json.at("index_bytes").get_to(answer.memory.index);
    record.recall_first = OrNegative(json.at("recall_first"));
    record.recall = OrNegative(json.at("recall"));
    answer.mass = OrNegative(json.at("mass"));
    answer.heads_first = Shares(json.at("heads_first_percent"));
    answer.heads_mean = Shares(json.at("heads_percent"));
  } catch (const nlohmann::json::exception& wrong) {
    return Error{ErrorCode::kCorrupt, fmt::format("not a result: {}", wrong.what())};
  }
  return record;
}

}  // namespace ltri
