// The published predictions of six models must give the published scores (specification of the scorers, golden values).
// The files come from OpenBMB/InfiniteBench; LTRI_EVAL_DATA names the folder that holds infinitebench-preds/.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "eval/score/scorer.h"

namespace ltri {
namespace {

using Json = nlohmann::json;

constexpr const char* kModels[] = {"gpt4", "yarn-mistral", "kimi", "yi-6b-200k", "yi-34b-200k", "chatglm3"};

struct Golden {
  const char* task;
  const char* scorer;
  double percent[6];  // in the order of kModels
};

constexpr Golden kGolden[] = {
    {"passkey", "first_integer", {100.0000, 92.7119, 98.1356, 100.0000, 100.0000, 92.2034}},
    {"number_string", "first_integer", {100.0000, 56.6102, 95.4237, 94.9153, 100.0000, 80.6780}},
    {"kv_retrieval", "key_value", {89.0, 0.0, 53.6, 0.0, 0.0, 0.0}},
    {"longdialogue_qa_eng", "dialogue", {8.5, 7.5, 11.5, 3.5, 4.5, 2.5}},
    {"longbook_choice_eng", "book_choice", {67.2489, 27.9476, 72.4891, 36.6812, 38.4279, 10.4803}},
    {"longbook_qa_eng", "word_f1", {22.4449, 9.5517, 16.5231, 9.2004, 12.1730, 3.6214}},
    {"longbook_qa_chn", "character_f1", {25.9577, 15.4894, 17.9338, 15.0736, 13.6140, 2.4982}},
    {"math_find", "math_find", {60.0000, 17.1429, 12.5714, 4.2857, 25.7143, 7.7143}},
    {"code_run", "code_run", {23.25, 1.25, 2.00, 0.75, 1.75, 0.00}},
    {"code_debug", "code_debug", {37.0558, 15.4822, 17.7665, 9.1371, 13.9594, 7.3604}},
};

std::string TextOf(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// A list, or a bare value; of a list some tasks use the first element only.
References GoldsOf(const Json& gold, const std::string& task) {
  if (!gold.is_array()) return {TextOf(gold)};
  References golds;
  for (const Json& value : gold) golds.push_back(TextOf(value));
  const bool first_only = task == "passkey" || task == "number_string" || task == "code_run" || task == "math_find";
  if (first_only) golds.resize(1);
  return golds;
}

// The first object of a line; one file has junk behind it.
Json FirstObject(const std::string& line) {
  Json whole = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!whole.is_discarded()) return whole;
  return Json::parse(line.substr(0, line.rfind('}') + 1), nullptr, false);
}

double ScoreFile(const std::string& path, const Golden& golden) {
  std::ifstream file(path, std::ios::binary);
  double sum = 0;
  double count = 0;
  for (std::string line; std::getline(file, line);) {
    const Json row = FirstObject(line);
    if (!row.is_object()) continue;
    const Json& gold = row.contains("ground_truth") ? row["ground_truth"] : row["label"];
    const Json& said = row.contains("prediction") ? row["prediction"] : row["pred"];
    sum += FindScorer(golden.scorer)(TextOf(said), GoldsOf(gold, golden.task));
    ++count;
  }
  return 100 * sum / count;
}

TEST(InfiniteBenchGoldenTest, PublishedPredictionsGiveThePublishedScores) {
  const char* data = std::getenv("LTRI_EVAL_DATA");
  if (data == nullptr) {
    GTEST_SKIP() << "skipped: set LTRI_EVAL_DATA to a folder with infinitebench-preds/MODEL/preds_TASK.jsonl, the "
                    "result files of OpenBMB/InfiniteBench";
  }
  int files = 0;
  for (const Golden& golden : kGolden) {
    for (size_t m = 0; m < std::size(kModels); ++m) {
      const std::string path =
          std::string(data) + "/infinitebench-preds/" + kModels[m] + "/preds_" + golden.task + ".jsonl";
      if (!std::filesystem::exists(path)) continue;
      ++files;
      EXPECT_NEAR(ScoreFile(path, golden), golden.percent[m], 5e-5) << path;
    }
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace ltri
