#include "eval/sample.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "eval/score/text_units.h"

namespace ltri {
namespace {

using Json = nlohmann::ordered_json;

// One field of a line: what is there, or what is there is wrong.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {}

  template <typename T>
  void Read(const char* name, T* value, bool needed = false) {
    if (!json_.contains(name) || json_[name].is_null()) {
      if (needed && wrong_.empty()) wrong_ = fmt::format("'{}' is missing", name);
      return;
    }
    try {
      json_[name].get_to(*value);
    } catch (const nlohmann::json::exception&) {
      if (wrong_.empty()) wrong_ = fmt::format("'{}' is {}, of the wrong type", name, json_[name].type_name());
    }
  }

  const std::string& wrong() const { return wrong_; }

 private:
  const Json& json_;
  std::string wrong_;
};

}  // namespace

std::string SampleId(const Sample& sample) {
  const std::string depth = sample.depth < 0 ? "-" : fmt::format("{:.4g}", sample.depth);
  return fmt::format("{}/{}/{}/{}", sample.task, sample.length, depth, sample.index);
}

bool IsStandIn(const std::string& source) { return source.starts_with("stand-in"); }

double Score(const Sample& sample, const std::string& answer) {
  const Scorer scorer = FindScorer(sample.scorer);
  if (scorer == nullptr) return 0;
  if (!sample.first_line) return scorer(answer, sample.references);
  const size_t begin = std::min(answer.find_first_not_of('\n'), answer.size());
  return scorer(answer.substr(begin, answer.find('\n', begin) - begin), sample.references);
}

Json SampleJson(const Sample& sample) {
  Json evidence = Json::array();
  for (const ByteRange& range : sample.evidence) evidence.push_back({range.begin, range.end});
  return {{"index", sample.index},
          {"task", sample.task},
          {"source", sample.source},
          {"length", sample.length},
          {"depth", sample.depth < 0 ? Json() : Json(sample.depth)},
          {"input", sample.prompt},
          {"answer_prefix", sample.answer_prefix},
          {"outputs", sample.references},
          {"scorer", sample.scorer},
          {"max_tokens", sample.max_tokens},
          {"first_line", sample.first_line},
          {"plain", sample.plain},
          {"evidence_bytes", evidence}};
}

Result<Sample> SampleFromJson(const Json& json) {
  const auto wrong = [](const std::string& what) { return Error{ErrorCode::kCorrupt, "not a sample: " + what}; };
  if (!json.is_object()) return wrong("no JSON object");
  Sample sample;
  std::vector<std::vector<size_t>> evidence;
  Fields fields(json);
  fields.Read("index", &sample.index);
  fields.Read("task", &sample.task);
  fields.Read("source", &sample.source);
  fields.Read("length", &sample.length);
  fields.Read("depth", &sample.depth);
  fields.Read("input", &sample.prompt, /*needed=*/true);
  fields.Read("answer_prefix", &sample.answer_prefix);
  fields.Read("outputs", &sample.references, /*needed=*/true);
  fields.Read("scorer", &sample.scorer);
  fields.Read("max_tokens", &sample.max_tokens);
  fields.Read("first_line", &sample.first_line);
  fields.Read("plain", &sample.plain);
  fields.Read("evidence_bytes", &evidence);
  if (!fields.wrong().empty()) return wrong(fields.wrong());
  if (!sample.scorer.empty() && FindScorer(sample.scorer) == nullptr) {
    return wrong(fmt::format("scorer '{}' is none of {}", sample.scorer, fmt::join(ScorerNames(), ", ")));
  }
  for (const std::vector<size_t>& range : evidence) {
    if (range.size() != 2 || range[0] > range[1] || range[1] > sample.prompt.size()) {
      return wrong("'evidence_bytes' holds something else than ranges of the input");
    }
    sample.evidence.push_back({range[0], range[1]});
  }
  return sample;
}

}  // namespace ltri
