// What a person can get wrong ends in a message and exit code 1, or 2 for wrong usage; never in an abort.
#include <gguf.h>
#include <gtest/gtest.h>

#include "cli/tiny_program.h"
#include "support/run_program.h"

namespace ltri {
namespace {

using testing::ProgramResult;
using testing::ProgramSetup;
using testing::RunProgram;

void ExpectFailure(const std::vector<std::string>& arguments, int code, const std::string& message,
                   const ProgramSetup& setup = {}) {
  const ProgramResult result = RunProgram(arguments, setup);
  std::string line;
  for (const std::string& argument : arguments) line += argument.substr(0, 40) + " ";
  EXPECT_EQ(result.exit_code, code) << line << "\n" << result.errors;
  EXPECT_TRUE(result.errors.starts_with("ltri: ")) << line << "\n" << result.errors;
  EXPECT_TRUE(Contains(result.errors, message)) << line << "\n" << result.errors << "\nlacks " << message;
  EXPECT_EQ(result.output, "") << line;
}

TEST(RunErrorsTest, ModelFiles) {
  ExpectFailure({"run", "-m", "/nowhere/model.gguf", "-p", "x"}, 1, "/nowhere/model.gguf");
  ExpectFailure({"run", "-m", "no-such-name", "-p", "x"}, 1, "no-such-name");
  ExpectFailure({"run", "-m", "", "-p", "x"}, 1, "no model is named");
  ExpectFailure({"run", "-m", TestFolder().path(), "-p", "x"}, 1, "is a folder");

  const std::string text = TestFolder() / "text.gguf";
  WriteFile(text, "This is no model at all, but long enough for a header.");
  ExpectFailure({"run", "-m", text, "-p", "x"}, 1, text);

  const std::string whole = ReadFile(TinyModel());
  for (const size_t size : {size_t{0}, size_t{10}, size_t{500}, whole.size() / 2, whole.size() - 1}) {
    const std::string cut = TestFolder() / "cut.gguf";
    WriteFile(cut, whole.substr(0, size));
    ExpectFailure({"run", "-m", cut, "-p", "x"}, 1, cut);
  }
  const auto other = TinyModel("mamba", [](gguf_context* f) { gguf_set_val_str(f, "general.architecture", "mamba"); });
  ExpectFailure({"run", "-m", other, "-p", "x"}, 1, "\"mamba\", which is not supported");
  const auto shape = TinyModel("shape", [](gguf_context* f) { gguf_set_val_u32(f, "llama.feed_forward_length", 95); });
  ExpectFailure({"run", "-m", shape, "-p", "x"}, 1, "ffn_");
}

TEST(RunErrorsTest, Texts) {
  const std::string m = TinyModel();
  ExpectFailure({"run", "-m", m}, 1, "the prompt is empty");
  ExpectFailure({"run", "-m", m, "-p", " \n"}, 1, "the prompt is empty");
  ExpectFailure({"run", "-m", m, "-f", "-"}, 1, "the prompt is empty");
  ExpectFailure({"run", "-m", m, "-f", "/nowhere/text.txt"}, 1, "/nowhere/text.txt");
  ExpectFailure({"run", "-m", m, "-f", TestFolder().path()}, 1, TestFolder().path());
  const std::string bad = TestFolder() / "bad.txt";
  WriteFile(bad, "good until h\xE9re");
  ExpectFailure({"run", "-m", m, "-f", bad}, 1, bad + " is not UTF-8: byte 12 is 0xe9");
  ExpectFailure({"run", "-m", m, "-f", "-"}, 1, "standard input is not UTF-8: byte 2 is 0xff", {.input = "ab\xFF"});
  ExpectFailure({"run", "-m", m, "-p", "\xC3"}, 1, "--prompt is not UTF-8: byte 0 is 0xc3");
  ExpectFailure({"run", "-m", m, "-p", "x", "--system", "y"}, 1, "has no chat template");
}

TEST(RunErrorsTest, ValuesThatNoSessionCanHave) {
  const std::string m = TinyModel();
  ExpectFailure({"run", "-m", m, "-p", "x", "--budget", "999999999999"}, 1, "budget 999999999999");
  ExpectFailure({"run", "-m", m, "-p", "x", "--window", "100"}, 1, "window is 100");
  ExpectFailure({"run", "-m", m, "-p", "x", "--min-span", "100", "--max-span", "50"}, 1, "span");
  ExpectFailure({"run", "-m", m, "-p", "x", "--vote-weights", "head-table"}, 1, "head-profile");
}

TEST(RunErrorsTest, WrongUsage) {
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } cases[] = {
      {{"--threads", "0"}, "--threads: 0 is not between 1 and 1024"},
      {{"--threads", "-1"}, "--threads"},
      {{"--window", "0"}, "--window: 0 is less than 1"},
      {{"--window", "-5"}, "--window: -5 is less than 1"},
      {{"--sinks", "-1"}, "--sinks"},
      {{"--budget", "-1"}, "--budget"},
      {{"--budget", "many"}, "'many' is not a number"},
      {{"--budget", "1.5"}, "--budget"},
      {{"--budget", "99999999999999999999999"}, "--budget"},
      {{"--block", "0"}, "--block"},
      {{"--second-reading", "-1"}, "--second-reading"},
      {{"--rereadings", "-1"}, "--rereadings"},
      {{"--min-span", "0"}, "--min-span"},
      {{"--max-span", "0"}, "--max-span"},
      {{"--kappa", "-1"}, "--kappa"},
      {{"--kappa", "nan"}, "--kappa"},
      {{"--index-vectors", "0"}, "--index-vectors"},
      {{"--persistence-share", "1.5"}, "--persistence-share: 1.5 is not between 0 and 1"},
      {{"--method", "magic"}, "--method: 'magic' is none of ltri, infllm, streaming, dense"},
      {{"--positions", "far"}, "'far' is none of auto, true, clamp, compact"},
      {{"--prefill", "fast"}, "'fast' is none of auto, stream, dense"},
      {{"--spans", "x"}, "partition, nms, fixed"},
      {{"--index", "x"}, "even, received, dynamic, mean4, all"},
      {{"--sharing", "x"}, "global, layer, kv_head, head"},
      {{"--vote-weights", "x"}, "entropy, uniform, head-table"},
      {{"--votes", "x"}, "softmax, raw"},
      {{"--voting-queries", "x"}, "sub-blocks, block-mean"},
      {{"--max-tokens", "0"}, "--max-tokens"},
      {{"--temperature", "-0.1"}, "--temperature"},
      {{"--temperature", "nan"}, "--temperature"},
      {{"--top-k", "-1"}, "--top-k"},
      {{"--top-p", "1.1"}, "--top-p"},
      {{"--min-p", "-1"}, "--min-p"},
      {{"--repeat-penalty", "-1"}, "--repeat-penalty"},
      {{"--seed", "-1"}, "--seed"},
      {{"--unknown"}, "--unknown"},
      {{"--file"}, "--file"},
      {{"stray"}, "stray"},
  };
  for (const auto& wrong : cases) {
    std::vector<std::string> arguments = {"run", "-m", "never-looked-at", "-p", "x"};
    arguments.insert(arguments.end(), wrong.arguments.begin(), wrong.arguments.end());
    ExpectFailure(arguments, 2, wrong.message);
  }
}

TEST(RunErrorsTest, OutputThatCannotBeWritten) {
  const std::string m = TinyModel();
  const ProgramSetup full = {.output_file = "/dev/full"};
  ExpectFailure({"run", "-m", m, "-p", "x", "-n", "2"}, 1, "cannot write to standard output", full);
  ExpectFailure({"run", "-m", m, "-p", "x", "-n", "2", "--json"}, 1, "cannot write to standard output", full);
}

}  // namespace
}  // namespace ltri
