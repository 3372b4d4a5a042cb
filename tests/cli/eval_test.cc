// `ltri eval needle` and `ltri head-profile` with a tiny model, which answers nothing: what they print and how they
// fail.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tiny_program.h"
#include "support/run_program.h"

namespace ltri {
namespace {

using testing::ProgramResult;
using testing::RunProgram;

std::string TextFile() {
  const std::string path = TestFolder() / "haystack.txt";
  WriteFile(path, LongText(8000));
  return path;
}

std::vector<std::string> Needle(const std::vector<std::string>& more, const std::string& tokens = "1500") {
  std::vector<std::string> arguments = {
      "eval", "needle",      "-m",           TinyModel(),   "--text",       TextFile(),        "--tokens",
      tokens, "--prompts=2", "--window=256", "--block=128", "--budget=256", "--prefill=stream"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(EvalTest, NeedlePrintsATable) {
  const std::string results = TestFolder() / "results.json";
  const ProgramResult result = RunProgram(Needle({"--output", results}));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_TRUE(Contains(result.errors, "No head table")) << result.errors;
  for (const char* method : {"\ndense ", "\nstreaming ", "\ninfllm ", "\nltri "}) {
    EXPECT_TRUE(Contains(result.output, method)) << result.output;
  }
  const nlohmann::json json = nlohmann::json::parse(ReadFile(results));
  ASSERT_EQ(json["summary"].size(), 4U);
  EXPECT_EQ(json["prompts"].size(), 8U);
  EXPECT_FALSE(json["head_table"]);
  const nlohmann::json& dense = json["summary"][0];
  EXPECT_EQ(dense["method"], "dense");
  EXPECT_EQ(dense["tokens"], 1500);
  EXPECT_EQ(dense["prompts"], 2);
  EXPECT_EQ(dense["recall_first"], 1.0);  // dense sees everything
  EXPECT_TRUE(dense["score"].is_number());
  EXPECT_EQ(json["summary"][1]["recall_eight"], 0.0);  // the needle lies outside sinks and window
}

TEST(EvalTest, NeedleJsonLengthsDepthAndSeed) {
  const ProgramResult result =
      RunProgram(Needle({"--json", "--methods", "ltri,dense", "--depth", "0.5", "--seed", "3"}, "1400,1600"));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(result.output);
  ASSERT_EQ(json["summary"].size(), 4U);
  EXPECT_EQ(json["summary"][2]["tokens"], 1600);
  EXPECT_EQ(json["prompts"][0]["answer"], json["prompts"][2]["answer"]);  // the same prompts for every method
  EXPECT_NEAR(json["prompts"][0]["evidence"][0].get<double>() / 1400, 0.5, 0.15);
}

TEST(EvalTest, NeedleFailures) {
  const auto expect = [](const std::vector<std::string>& arguments, int code, const char* message) {
    const ProgramResult result = RunProgram(arguments);
    EXPECT_EQ(result.exit_code, code) << message << result.errors;
    EXPECT_TRUE(Contains(result.errors, message)) << result.errors;
    EXPECT_EQ(result.output, "");
  };
  expect(Needle({"--methods", "ltri,magic"}), 2, "'magic' is none of");
  expect(Needle({"--depth", "2"}), 2, "--depth");
  expect(Needle({"--prompts", "0"}), 2, "--prompts");
  expect(Needle({}, "500"), 1, "--tokens is 500");
  expect(Needle({}, "50000"), 1, "needs");
  expect(Needle({"--output", "/nowhere/results.json"}), 1, "/nowhere/results.json");
  expect(Needle({"--text=/nowhere/text"}), 1, "/nowhere/text");
  expect({"eval"}, 2, "subcommand");
}

TEST(EvalTest, HeadProfileNeedsAnswers) {
  const ProgramResult result =
      RunProgram({"head-profile", TinyModel(), "--text", TextFile(), "--prompts", "1", "--tokens", "1200"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(Contains(result.errors, "answered none of 1 needle prompts")) << result.errors;
  const ProgramResult folder =
      RunProgram({"head-profile", TinyModel(), "--text", TextFile(), "--output", "/nowhere/table.json"});
  EXPECT_EQ(folder.exit_code, 1);
  EXPECT_TRUE(Contains(folder.errors, "--output")) << folder.errors;
  EXPECT_EQ(RunProgram({"head-profile"}).exit_code, 2);
}

TEST(EvalTest, ShippedTextIsLookedForInLtriData) {
  const TemporaryFolder data;
  WriteFile(data / "moby-dick.txt", "Too short.");
  const ProgramResult result =
      RunProgram({"head-profile", TinyModel(), "--prompts", "1"}, {.environment = {{"LTRI_DATA", data.path()}}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(Contains(result.errors, "the text has")) << result.errors;
}

}  // namespace
}  // namespace ltri
