// `ltri bench` with a tiny model, whose times mean nothing: what it prints and how it fails.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tiny_program.h"
#include "support/run_program.h"

namespace ltri {
namespace {

using testing::ProgramResult;
using testing::RunProgram;

std::vector<std::string> Bench(const std::vector<std::string>& more, const std::string& sections = "prefill,decode") {
  const std::string text = TestFolder() / "bench.txt";
  WriteFile(text, LongText(3000));
  std::vector<std::string> arguments = {"bench",
                                        "-m",
                                        TinyModel(),
                                        "--text",
                                        text,
                                        "--threads=1",
                                        "--runs=2",
                                        "--prefill=70",
                                        "--decode=0,5000",
                                        "--decode-tokens=2",
                                        "--sections=" + sections,
                                        "--window=256"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(BenchTest, PrintsTables) {
  const ProgramResult result = RunProgram(Bench({"--peer"}));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const char* part : {"\nprefill ", "\ndecode ", " dense ", " streaming ", " infllm ", " ltri ", " llama.cpp "}) {
    EXPECT_TRUE(Contains(result.output, part)) << part << result.output;
  }
}

TEST(BenchTest, JsonHasARowForEachContenderAndLength) {
  const std::string svg = TestFolder() / "depth.svg";
  const ProgramResult result = RunProgram(Bench({"--json", "--peer", "--methods=dense,ltri", "--svg", svg}));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json["runs"], 2);
  EXPECT_EQ(json["threads"], 1);
  EXPECT_TRUE(json["limits"].is_null());
  EXPECT_EQ(json["settings"]["ltri"]["window"], 256);
  ASSERT_EQ(json["rows"].size(), 9U);  // three contenders, three lengths
  for (const nlohmann::json& row : json["rows"]) {
    EXPECT_GT(row["tokens_per_second"].get<double>(), 0);
    const bool peer = row["method"] == "llama.cpp";
    EXPECT_EQ(row["ratio_to_peer"].is_null(), peer) << row;
    EXPECT_EQ(row["peer_tokens_per_second"].is_null(), peer) << row;
  }
  EXPECT_EQ(json["rows"][0]["section"], "prefill");
  EXPECT_EQ(json["rows"][8]["section"], "decode");
  EXPECT_EQ(json["rows"][8]["tokens"], 5000);
  EXPECT_TRUE(Contains(ReadFile(svg), "</svg>"));
}

TEST(BenchTest, TimesTheFindingOfSpans) {
  const ProgramResult result = RunProgram(Bench({"--json", "--methods=streaming,ltri"}, "prefill"));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(result.output);
  ASSERT_EQ(json["rows"].size(), 2U);
  EXPECT_EQ(json["rows"][0]["span_detection_share"], 0);  // has no spans
  EXPECT_GT(json["rows"][1]["span_detection_share"].get<double>(), 0);
  EXPECT_LT(json["rows"][1]["span_detection_share"].get<double>(), 1);
}

TEST(BenchTest, WithoutPeerThereAreNoRatios) {
  const ProgramResult result = RunProgram(Bench({"--json", "--methods=streaming"}, "decode"));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(result.output);
  ASSERT_EQ(json["rows"].size(), 2U);
  EXPECT_TRUE(json["rows"][1]["ratio_to_peer"].is_null());
}

TEST(BenchTest, TypesAreMadeAndMeasured) {
  const TemporaryFolder cache;
  const ProgramResult result = RunProgram(Bench({"--json", "--methods=dense", "--types=f16,q8_0"}, "prefill"),
                                          {.environment = {{"LTRI_CACHE_DIR", cache.path()}}});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(result.output);
  ASSERT_EQ(json["rows"].size(), 2U);
  EXPECT_EQ(json["rows"][0]["weight_type"], "f16");
  EXPECT_EQ(json["rows"][1]["weight_type"], "q8_0");
}

TEST(BenchTest, Failures) {
  const auto expect = [](const std::vector<std::string>& arguments, int code, const char* message) {
    const ProgramResult result = RunProgram(arguments);
    EXPECT_EQ(result.exit_code, code) << message << result.errors;
    EXPECT_TRUE(Contains(result.errors, message)) << result.errors;
    EXPECT_EQ(result.output, "");
  };
  expect(Bench({"--methods=magic"}), 2, "'magic' is none of");
  expect(Bench({"--types=q9_9"}), 2, "'q9_9' is none of");
  expect(Bench({}, "lunch"), 2, "'lunch' is none of limits, prefill, decode");
  expect(Bench({"--runs=0"}), 2, "--runs");
  expect(Bench({"--prefill=0"}), 2, "--prefill");
  expect(Bench({"--decode=-1"}), 2, "--decode");
  expect(Bench({"--prefill=100000"}), 1, "are needed: name a longer one with --text");
  expect(Bench({"--text=/nowhere/text"}), 1, "/nowhere/text");
  expect(Bench({"--svg=/nowhere/depth.svg"}), 1, "/nowhere/depth.svg");
  expect(Bench({"--window=4"}), 1, "window is 4");
  expect({"bench", "-m", "/nowhere/model.gguf"}, 1, "/nowhere/model.gguf");
}

TEST(BenchTest, CtrlCStops) {
  const ProgramResult result =
      RunProgram(Bench({"--runs=1000", "--methods=dense"}), {.terminal = true, .interrupt_at = "prefill of 70"});
  EXPECT_EQ(result.exit_code, 130) << result.errors;
  EXPECT_TRUE(Contains(result.errors, "stopped")) << result.errors;
}

}  // namespace
}  // namespace ltri
