// `ltri eval` with the default model: dense attention finds the needle, streaming cannot, ltri does.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_program.h"
#include "support/temporary_folder.h"
#include "support/test_model.h"

namespace ltri {
namespace {

TEST(EvalWithModelTest, NeedlesAreFoundUsedAndAccountedFor) {
  const std::string model = TestModel("smollm2");
  if (model.empty()) GTEST_SKIP() << kNoTestModel;
  const TemporaryFolder folder;
  const testing::ProgramResult result =
      testing::RunProgram({"eval",      "niah",    "-m",        model, "--tokens",    "1500",
                           "--depths",  "0.3,0.5", "--samples", "1",   "--methods",   "dense,streaming,ltri",
                           "--window",  "256",     "--budget",  "256", "--block",     "128",
                           "--prefill", "stream",  "--mass",    "-o",  folder / "run"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(ReadFile(folder / "run/results.json"));
  ASSERT_EQ(json["summary"].size(), 3U);
  const nlohmann::json& dense = json["summary"][0];
  const nlohmann::json& streaming = json["summary"][1];
  const nlohmann::json& ltri = json["summary"][2];
  EXPECT_EQ(dense["score"], 1.0);
  EXPECT_EQ(dense["evidence"]["found_and_used"], 2);
  EXPECT_NEAR(dense["mass"].get<double>(), 1.0, 1e-3);  // dense sees what dense attends to
  EXPECT_EQ(streaming["score"], 0.0);
  EXPECT_EQ(streaming["evidence"]["not_found"], 2);
  EXPECT_EQ(ltri["score"], 1.0);
  EXPECT_GT(ltri["recall"].get<double>(), 0.9);
  EXPECT_GT(ltri["mass"].get<double>(), streaming["mass"].get<double>());
  EXPECT_EQ(ltri["layer_recall"].size(), 30U);
}

}  // namespace
}  // namespace ltri
