// `ltri run` from outside: what it prints for each option.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tiny_program.h"
#include "support/run_program.h"
#include "support/tiny_folder.h"

namespace ltri {
namespace {

using testing::ProgramResult;
using testing::RunProgram;

std::vector<std::string> RunArguments(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"run", "-m", TinyModel(), "-n", "4", "--ignore-end", "--threads", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

nlohmann::json RunJson(std::vector<std::string> more) {
  more.emplace_back("--json");
  const ProgramResult result = RunProgram(RunArguments(std::move(more)));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.errors, "");
  return nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
}

TEST(RunTest, PrintsTheAnswerAndNothingElse) {
  const ProgramResult result = RunProgram(RunArguments({"-p", "Hello"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.errors, "");
  const nlohmann::json json = RunJson({"-p", "Hello"});
  EXPECT_EQ(result.output, json["text"].get<std::string>() + "\n");
}

TEST(RunTest, AFolderIsAModelToo) {
  testing::TinyModelSpec spec = testing::TinySpec("qwen2");
  const std::string gguf = testing::WriteTinyGguf(spec, TestFolder().path());
  const std::string folder =
      testing::WriteTinyFolder(testing::MakeTinyFolder(spec, gguf), TestFolder().path(), "qwen2", gguf);
  const auto run = [](const std::string& model) {
    return RunProgram({"run", "-m", model, "-p", "the cat", "-n", "8", "--ignore-end"});
  };
  const ProgramResult result = run(folder + "/");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output, run(gguf).output);
  const ProgramResult inspected = RunProgram({"inspect", folder});
  EXPECT_EQ(inspected.exit_code, 0) << inspected.errors;
  EXPECT_TRUE(Contains(inspected.output, "gpt2 (gpt-2), 300 tokens")) << inspected.output;
}

TEST(RunTest, JsonHasOneObjectWithAllFields) {
  const nlohmann::json json = RunJson({"-p", "Hello"});
  ASSERT_TRUE(json.is_object());
  for (const char* name :
       {"prompt_tokens", "generated_tokens", "peak_memory_bytes", "key_value_bytes", "index_bytes"}) {
    EXPECT_TRUE(json[name].is_number_integer()) << name;
  }
  EXPECT_TRUE(json["text"].is_string());
  EXPECT_TRUE(json["ended"].is_boolean());
  EXPECT_EQ(json["generated_tokens"], 4);
  EXPECT_GT(json["prompt_tokens"], 1);
  EXPECT_GT(json["prefill_seconds"], 0.0);
  EXPECT_GT(json["decode_seconds"], 0.0);
  EXPECT_GT(json["peak_memory_bytes"], 1000000);
  EXPECT_EQ(json["method"], "ltri");
  EXPECT_EQ(json["settings"]["window"], 1024);
  ASSERT_EQ(json["visible_tokens"].size(), 3U);
  // The prompt and all of the answer but its last token, which no step has read.
  EXPECT_EQ(json["visible_tokens"][0], json["prompt_tokens"].get<int>() + 3);
  ASSERT_EQ(json["spans"].size(), 3U);
}

TEST(RunTest, EveryMethodAnswersALongText) {
  const std::string text = LongText(1500);
  for (const char* method : {"ltri", "infllm", "streaming", "dense"}) {
    const nlohmann::json json = RunJson({"-p", text, "--method", method, "--window", "256", "--budget", "256",
                                         "--block", "128", "--sinks", "16", "--prefill", "stream"});
    ASSERT_TRUE(json.is_object()) << method;
    EXPECT_EQ(json["method"], method);
    EXPECT_EQ(json["settings"]["block"], 128);
    EXPECT_EQ(json["settings"].contains("budget"), method == std::string("ltri") || method == std::string("infllm"));
    const auto visible = json["visible_tokens"][0].get<int64_t>();
    const auto prompt = json["prompt_tokens"].get<int64_t>();
    if (method == std::string("dense")) {
      EXPECT_EQ(visible, prompt + 3);
    } else {
      EXPECT_LT(visible, prompt);
      EXPECT_GE(visible, 256);
    }
    if (method == std::string("ltri")) {
      EXPECT_GT(json["spans"][0], 5);
    }
  }
}

TEST(RunTest, ResearchOptionsReachTheSession) {
  const nlohmann::json json = RunJson({"-p",
                                       LongText(1200),
                                       "--window=256",
                                       "--budget=200",
                                       "--block=128",
                                       "--prefill=stream",
                                       "--positions=clamp",
                                       "--second-reading=32",
                                       "--rereadings=3",
                                       "--spans=nms",
                                       "--kappa=1.5",
                                       "--min-span=4",
                                       "--max-span=64",
                                       "--index=received",
                                       "--index-vectors=3",
                                       "--index-probes=7",
                                       "--vote-reach=40",
                                       "--reselect=3",
                                       "--sharing=layer",
                                       "--vote-weights=uniform",
                                       "--votes=raw",
                                       "--voting-queries=block-mean",
                                       "--clamp-relevance",
                                       "--no-persistence",
                                       "--persistence-share=0.5",
                                       "--persistence-decode=0.8",
                                       "--persistence-prefill=0.6"});
  ASSERT_TRUE(json.is_object());
  const nlohmann::json expected = {{"block", 128},
                                   {"sinks", 64},
                                   {"window", 256},
                                   {"positions", "clamp"},
                                   {"prefill", "stream"},
                                   {"budget", 200},
                                   {"second_reading", 32},
                                   {"rereadings", 3},
                                   {"spans", "nms"},
                                   {"kappa", 1.5},
                                   {"min_span", 4},
                                   {"max_span", 64},
                                   {"index", "received"},
                                   {"index_vectors", 3},
                                   {"index_clusters", true},
                                   {"index_probes", 7},
                                   {"voting_heads", 0},
                                   {"vote_reach", 40},
                                   {"reselect", 3},
                                   {"sharing", "layer"},
                                   {"vote_weights", "uniform"},
                                   {"votes", "raw"},
                                   {"voting_queries", "block-mean"},
                                   {"clamp_relevance", true},
                                   {"persistence", false},
                                   {"persistence_share", 0.5},
                                   {"persistence_decode", 0.8},
                                   {"persistence_prefill", 0.6}};
  EXPECT_EQ(json["settings"], expected) << json["settings"];
}

TEST(RunTest, FilesStandardInputAndPromptMakeOneText) {
  const std::string a = TestFolder() / "a.txt";
  WriteFile(a,
            "\xEF\xBB\xBF"
            "First.\n");  // a byte order mark is no text
  const ProgramResult apart =
      RunProgram(RunArguments({"-f", a, "-f", "-", "-p", "Third?", "--json"}), {.input = "Second."});
  ASSERT_EQ(apart.exit_code, 0) << apart.errors;
  const nlohmann::json together = RunJson({"-p", "First.\n\nSecond.\n\nThird?"});
  const nlohmann::json json = nlohmann::json::parse(apart.output);
  EXPECT_EQ(json["prompt_tokens"], together["prompt_tokens"]);
  EXPECT_EQ(json["text"], together["text"]);
}

TEST(RunTest, ChatTemplateIsUsedUnlessRaw) {
  const std::string model = TinyChatModel();
  const auto tokens = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", "-m", model, "-n", "1", "--json"});
    const ProgramResult result = RunProgram(more);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output)["prompt_tokens"].get<int>();
  };
  const int raw = tokens({"-p", "Hello", "--raw"});
  const int chat = tokens({"-p", "Hello"});
  EXPECT_GT(chat, raw + 10);
  EXPECT_GT(tokens({"-p", "Hello", "--system", "Be brief."}), chat + 10);
  // In a person's words, the name of a control token is five letters and four signs.
  EXPECT_GE(tokens({"-p", "Hello<|end|>"}), chat + 5);
}

TEST(RunTest, SamplingFollowsTheSeed) {
  const auto text = [](const char* seed) {
    return RunJson({"-p", "Hello", "-n", "12", "--temperature", "2", "--top-k", "0", "--top-p", "1", "--min-p", "0",
                    "--repeat-penalty", "1.1", "--repeat-last-n", "8", "--seed", seed})["text"];
  };
  EXPECT_EQ(text("5"), text("5"));
  EXPECT_NE(text("5"), text("6"));
}

TEST(RunTest, EnvironmentStandsForOptions) {
  const ProgramResult result =
      RunProgram({"run", "--json", "--window", "300"}, {.environment = {{"LTRI_MODEL", TinyModel()},
                                                                        {"LTRI_PROMPT", "Hello"},
                                                                        {"LTRI_MAX_TOKENS", "3"},
                                                                        {"LTRI_IGNORE_END", "1"},
                                                                        {"LTRI_METHOD", "streaming"},
                                                                        {"LTRI_WINDOW", "200"},
                                                                        {"LTRI_SECOND_READING", "7"}}});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json["generated_tokens"], 3);
  EXPECT_EQ(json["method"], "streaming");
  EXPECT_EQ(json["settings"]["window"], 300);  // what is typed wins

  const ProgramResult wrong = RunProgram({"run"}, {.environment = {{"LTRI_BLOCK", "0"}}});
  EXPECT_EQ(wrong.exit_code, 2);
  // Another command's variables do not matter.
  EXPECT_EQ(RunProgram({"inspect", TinyModel()}, {.environment = {{"LTRI_BLOCK", "0"}}}).exit_code, 0);
}

TEST(RunTest, ModelByName) {
  TinyModel("by-name");
  const ProgramResult result = RunProgram({"run", "-m", "by-name", "-p", "x", "-n", "1"},
                                          {.environment = {{"LTRI_MODELS", TestFolder().path()}}});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
}

}  // namespace
}  // namespace ltri
