#include "weights/head_table.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "base/checksum.h"
#include "weights/head_tables.h"

namespace ltri {
namespace {

using Json = nlohmann::json;

std::string IdText(uint64_t id) { return fmt::format("{:016x}", id); }

// The scores of a table's JSON. `name` is for messages.
Result<std::vector<float>> ReadScores(const Json& json, const std::string& name, const ModelInfo& info) {
  const auto bad = [&](const std::string& what) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: {}; `ltri head-profile` makes a new one", name, what)};
  };
  if (!json.is_object() || !json.contains("scores") || !json["scores"].is_array()) {
    return bad("not a head table: no array 'scores'");
  }
  if (json.contains("weights") && json["weights"] != IdText(info.weights_id)) {
    return bad(
        fmt::format("made for weights {}, but the model has {}", json["weights"].dump(), IdText(info.weights_id)));
  }
  if (static_cast<int64_t>(json["scores"].size()) != info.layers) {
    return bad(fmt::format("'scores' has {} layers, the model {}", json["scores"].size(), info.layers));
  }
  std::vector<float> scores;
  for (const Json& row : json["scores"]) {
    if (!row.is_array() || static_cast<int64_t>(row.size()) != info.heads) {
      return bad(fmt::format("a row of 'scores' does not have {} heads", info.heads));
    }
    for (const Json& score : row) {
      if (!score.is_number() || !(score.get<float>() >= 0.0F)) {
        return bad("'scores' holds something else than numbers >= 0");
      }
      scores.push_back(score.get<float>());
    }
  }
  return scores;
}

}  // namespace

uint64_t WeightsId(const ModelWeights& weights) { return Checksum(std::as_bytes(std::span(weights.output_norm))); }

std::string HeadTablePath(const std::string& model_path) {
  const std::string suffix = ".gguf";
  const bool has_suffix = model_path.size() > suffix.size() && model_path.ends_with(suffix);
  return (has_suffix ? model_path.substr(0, model_path.size() - suffix.size()) : model_path) + ".heads.json";
}

Status SaveHeadTable(const std::string& path, const ModelInfo& info, const HeadTable& table) {
  nlohmann::ordered_json json;
  json["model"] = info.name;
  json["architecture"] = info.architecture;
  json["weights"] = IdText(info.weights_id);
  json["prompts"] = table.prompts;
  json["answered"] = table.answered;
  json["scores"] = nlohmann::ordered_json::array();
  for (int64_t layer = 0; layer < info.layers; ++layer) {
    const auto first = table.scores.begin() + layer * info.heads;
    std::vector<double> row;  // three digits are more than so many prompts tell
    for (int64_t head = 0; head < info.heads; ++head) row.push_back(std::round(first[head] * 1000.0) / 1000.0);
    json["scores"].push_back(row);
  }
  std::ofstream file(path);
  file << json.dump() << '\n';
  file.close();
  if (!file) return Error{ErrorCode::kIo, fmt::format("{}: cannot write the head table", path)};
  return {};
}

Result<std::vector<float>> LoadHeadTable(const std::string& path, const ModelInfo& info) {
  std::ifstream file(path);
  if (!file) return Error{ErrorCode::kNotFound, fmt::format("{}: no head table; `ltri head-profile` makes one", path)};
  return ReadScores(Json::parse(file, nullptr, /*allow_exceptions=*/false), path, info);
}

Result<std::vector<float>> FindHeadTable(const ModelInfo& info) {
  Result<std::vector<float>> beside = LoadHeadTable(HeadTablePath(info.path), info);
  if (beside.ok() || beside.error().code != ErrorCode::kNotFound) return beside;
  const Json shipped = Json::parse(HeadTablesJson());
  const auto found = shipped.find(IdText(info.weights_id));
  if (found == shipped.end()) return std::vector<float>();
  return ReadScores(*found, "a shipped head table", info);
}

}  // namespace ltri
