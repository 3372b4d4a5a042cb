// The program with the default model: what needs a model that can answer.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_program.h"
#include "support/temporary_folder.h"
#include "support/test_model.h"

namespace ltri {
namespace {

using testing::ProgramResult;
using testing::RunProgram;

TEST(ProgramWithModelTest, RunCompletesAText) {
  const std::string model = TestModel("smollm2");
  if (model.empty()) GTEST_SKIP() << kNoTestModel;
  const ProgramResult result = RunProgram({"run", "-m", model, "--raw", "-p", "The capital of France is", "-n", "2"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output, " Paris.\n");
}

TEST(ProgramWithModelTest, ProfiledHeadsWeighRecall) {
  const std::string model = TestModel("smollm2");
  if (model.empty()) GTEST_SKIP() << kNoTestModel;
  const TemporaryFolder folder;
  const std::string table = folder / "table.json";
  const ProgramResult profile = RunProgram({"head-profile", model, "--prompts", "1", "--tokens", "700", "-o", table});
  ASSERT_EQ(profile.exit_code, 0) << profile.errors;
  EXPECT_NE(profile.output.find("1 of 1 needle prompts answered"), std::string::npos) << profile.output;
  const nlohmann::json json = nlohmann::json::parse(ReadFile(table));
  EXPECT_EQ(json["scores"].size(), 30U);

  const ProgramResult needle =
      RunProgram({"eval", "needle", "-m", model, "--methods", "ltri", "--prompts", "1", "--tokens", "1200", "--window",
                  "256", "--block", "128", "--prefill", "stream", "--json"});
  ASSERT_EQ(needle.exit_code, 0) << needle.errors;
  EXPECT_EQ(nlohmann::json::parse(needle.output)["summary"][0]["correct"], 1);
}

// What a newcomer sees first, at its full length: 25,088 tokens.
TEST(ProgramWithModelTest, TheDemoFindsItsSentence) {
  const std::string model = TestModel("smollm2");
  if (model.empty()) GTEST_SKIP() << kNoTestModel;
  const TemporaryFolder folder;
  const ProgramResult demo =
      RunProgram({"demo", "-m", model, "--methods", "streaming,ltri", "--picture", folder / "spans.svg"});
  ASSERT_EQ(demo.exit_code, 0) << demo.errors;
  EXPECT_NE(demo.output.find("\n  streaming  wrong "), std::string::npos) << demo.output;
  EXPECT_NE(demo.output.find("\n  ltri       right "), std::string::npos) << demo.output;
}

}  // namespace
}  // namespace ltri
