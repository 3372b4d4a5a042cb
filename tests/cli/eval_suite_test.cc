// The suites of `ltri eval` with a tiny model, which answers nothing: tables, folders, going on, comparing.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tiny_program.h"
#include "support/run_program.h"

namespace ltri {
namespace {

using testing::ProgramResult;
using testing::RunProgram;

std::vector<std::string> Eval(const std::string& suite, const std::vector<std::string>& more) {
  const std::string text = TestFolder() / "book.txt";
  WriteFile(text, LongText(20000));
  std::vector<std::string> arguments = {"eval", suite,          "-m",          TinyModel(),    "--text",
                                        text,   "--window=256", "--block=128", "--budget=256", "--prefill=stream"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

nlohmann::json Results(const std::string& folder) { return nlohmann::json::parse(ReadFile(folder + "/results.json")); }

TEST(EvalSuiteTest, WritesAFolderAndGoesOn) {
  const std::string folder = TestFolder() / "niah";
  const std::vector<std::string> arguments = Eval(
      "niah", {"--tokens", "1500", "--depths", "0.2,0.8", "--samples", "1", "--methods", "dense,ltri", "-o", folder});
  const ProgramResult result = RunProgram(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_TRUE(Contains(result.output, "niah/number *")) << result.output;
  EXPECT_TRUE(Contains(result.output, "stand in for")) << result.output;
  const nlohmann::json json = Results(folder);
  ASSERT_EQ(json["summary"].size(), 2U);
  EXPECT_EQ(json["summary"][0]["method"], "dense");
  EXPECT_TRUE(json["summary"][0]["score"].is_number());
  EXPECT_EQ(json["summary"][0]["recall"], 1.0);
  EXPECT_EQ(json["depths"].size(), 4U);
  EXPECT_TRUE(json["complete"].get<bool>());
  EXPECT_TRUE(Contains(ReadFile(folder + "/index.html"), "</html>"));

  const ProgramResult again = RunProgram(arguments);
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_TRUE(Contains(again.errors, "--resume")) << again.errors;
  const std::string samples = ReadFile(folder + "/samples.jsonl");
  WriteFile(folder + "/samples.jsonl", samples.substr(0, samples.size() - 40));  // as a stop leaves it
  std::vector<std::string> resume = arguments;
  resume.emplace_back("--resume");
  const ProgramResult resumed = RunProgram(resume);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_EQ(Results(folder)["summary"][1]["samples"], 2);

  const ProgramResult compared = RunProgram({"eval", "compare", folder + ":dense", folder + ":ltri"});
  EXPECT_EQ(compared.exit_code, 0) << compared.errors;
  EXPECT_TRUE(Contains(compared.output, "not told apart")) << compared.output;
}

TEST(EvalSuiteTest, SamplesAreWrittenAndRead) {
  const std::string file = TestFolder() / "samples.jsonl";
  const ProgramResult written = RunProgram(
      Eval("ruler", {"--tokens", "2500", "--tasks", "vt,niah_multikey_3", "--samples", "2", "--write-samples", file}));
  ASSERT_EQ(written.exit_code, 0) << written.errors;
  EXPECT_TRUE(Contains(written.output, "4 samples written")) << written.output;
  const ProgramResult read =
      RunProgram({"eval", "samples", file, "-m", TinyModel(), "--methods", "streaming", "--max-tokens", "3", "--json"});
  ASSERT_EQ(read.exit_code, 0) << read.errors;
  const nlohmann::json json = nlohmann::json::parse(read.output);
  ASSERT_EQ(json["tasks"].size(), 2U);
  EXPECT_EQ(json["tasks"][0]["task"], "ruler/niah_multikey_3");
  EXPECT_EQ(json["summary"][0]["samples"], 4);
}

TEST(EvalSuiteTest, AblationSwitchesOneDecisionAtATime) {
  const ProgramResult result =
      RunProgram(Eval("ablate", {"--tokens", "2500", "--tasks", "niah_multikey_3", "--samples", "1", "--max-tokens",
                                 "3", "--rows", "ltri,kappa 1,voting heads 8", "--json"}));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(result.output);
  ASSERT_EQ(json["summary"].size(), 2U);
  EXPECT_EQ(json["summary"][1]["method"], "kappa 1");
  EXPECT_EQ(json["run"]["targets"]["kappa 1"]["kappa"], 1.0);
  EXPECT_EQ(json["run"]["targets"]["ltri"]["kappa"], 2.0);
  EXPECT_EQ(json["skipped"][0]["task"], "voting heads 8");
}

TEST(EvalSuiteTest, PerplexityByPosition) {
  const std::string file = TestFolder() / "perplexity.json";
  const ProgramResult result =
      RunProgram(Eval("perplexity", {"--tokens", "800", "--parts", "2", "--methods", "dense,ltri", "--output", file}));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(ReadFile(file));
  ASSERT_EQ(json["summary"].size(), 2U);
  EXPECT_EQ(json["summary"][0]["method"], "dense");
  EXPECT_GT(json["summary"][0]["score"].get<double>(), 1.0);
  EXPECT_EQ(json["summary"][0]["parts"].size(), 2U);
}

TEST(EvalSuiteTest, Failures) {
  const auto expect = [](const std::vector<std::string>& arguments, int code, const char* message) {
    const ProgramResult result = RunProgram(arguments);
    EXPECT_EQ(result.exit_code, code) << message << result.errors;
    EXPECT_TRUE(Contains(result.errors, message)) << result.errors;
  };
  expect(Eval("ruler", {"--tasks", "magic"}), 1, "'magic' is none of");
  expect(Eval("ruler", {"--tokens", "50", "--tasks", "vt"}), 1, "50 are too few");
  expect(Eval("niah", {"--depths", "2"}), 2, "--depths");
  expect(Eval("niah", {"--chat"}), 1, "chat template");
  expect(Eval("ablate", {"--rows", "magic"}), 1, "'magic' is none of");
  expect(Eval("longbench", {}), 1, "nothing to ask");
  expect({"eval", "quick", "--server", "localhost"}, 1, "no URL");
  expect({"eval", "compare", "/nowhere/a", "/nowhere/b"}, 1, "/nowhere/a");
  expect({"eval", "samples", "/nowhere/samples", "-m", TinyModel()}, 1, "/nowhere/samples");
}

}  // namespace
}  // namespace ltri
