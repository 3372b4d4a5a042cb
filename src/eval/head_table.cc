// The file of a head profile.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "eval/head_profile.h"

namespace ltri {

std::string HeadTablePath(const std::string& model_path) {
  const std::string suffix = ".gguf";
  const bool has_suffix = model_path.size() > suffix.size() && model_path.ends_with(suffix);
  return (has_suffix ? model_path.substr(0, model_path.size() - suffix.size()) : model_path) + ".heads.json";
}

Status SaveHeadTable(const std::string& path, const ModelInfo& info, const HeadProfile& profile) {
  nlohmann::json json;
  json["architecture"] = info.architecture;
  json["layers"] = info.layers;
  json["heads"] = info.heads;
  json["prompts"] = profile.prompts;
  json["answered"] = profile.answered;
  json["scores"] = nlohmann::json::array();
  for (int64_t layer = 0; layer < info.layers; ++layer) {
    const auto first = profile.scores.begin() + layer * info.heads;
    json["scores"].push_back(std::vector<float>(first, first + info.heads));
  }
  std::ofstream file(path);
  file << json.dump(1) << '\n';
  file.close();
  if (!file) return Error{ErrorCode::kIo, fmt::format("{}: cannot write the head table", path)};
  return {};
}

Result<std::vector<float>> LoadHeadTable(const std::string& path, const ModelInfo& info) {
  std::ifstream file(path);
  if (!file) return Error{ErrorCode::kNotFound, fmt::format("{}: no head table; `ltri head-profile` makes one", path)};
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  const auto bad = [&](const std::string& what) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: {}", path, what)};
  };
  if (!json.is_object() || !json.contains("scores") || !json["scores"].is_array()) {
    return bad("not a head table: no array 'scores'");
  }
  if (static_cast<int64_t>(json["scores"].size()) != info.layers) {
    return bad(fmt::format("'scores' has {} layers, the model {}", json["scores"].size(), info.layers));
  }
  std::vector<float> table;
  for (const nlohmann::json& row : json["scores"]) {
    if (!row.is_array() || static_cast<int64_t>(row.size()) != info.heads) {
      return bad(fmt::format("a row of 'scores' does not have {} heads", info.heads));
    }
    for (const nlohmann::json& score : row) {
      if (!score.is_number() || !(score.get<float>() >= 0.0F))
        return bad("'scores' holds something else than numbers >= 0");
      table.push_back(score.get<float>());
    }
  }
  return table;
}

}  // namespace ltri
