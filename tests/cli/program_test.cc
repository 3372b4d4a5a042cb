// The program as a whole: help, version, progress, Ctrl-C.
#include <gtest/gtest.h>

#include "cli/tiny_program.h"
#include "support/run_program.h"

namespace ltri {
namespace {

using testing::ProgramResult;
using testing::RunProgram;

TEST(ProgramTest, VersionAndHelp) {
  const ProgramResult version = RunProgram({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_TRUE(version.output.starts_with("ltri ")) << version.output;
  const ProgramResult help = RunProgram({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command : {"run", "chat", "demo", "pull", "inspect", "head-profile", "eval"}) {
    EXPECT_TRUE(Contains(help.output, std::string("\n  ") + command + " ")) << command;
    EXPECT_EQ(RunProgram({command, "--help"}).exit_code, 0) << command;
    EXPECT_EQ(RunProgram({command, "--wrong"}).exit_code, 2) << command;
  }
  EXPECT_EQ(RunProgram({}).exit_code, 2);
  EXPECT_EQ(RunProgram({"walk"}).exit_code, 2);
}

TEST(ProgramTest, HelpGroupsOptionsByPurpose) {
  const ProgramResult help = RunProgram({"run", "--help"});
  size_t at = 0;
  for (const char* group : {"Model:", "Text:", "Memory:", "Answer:", "Output:", "Research:"}) {
    const size_t found = help.output.find(std::string("\n") + group + "\n");
    ASSERT_NE(found, std::string::npos) << group;
    EXPECT_GT(found, at) << group;
    at = found;
  }
  EXPECT_TRUE(Contains(help.output, "--window TOKENS=1024"));
  EXPECT_TRUE(Contains(help.output, "LTRI_MAX_TOKENS"));
}

TEST(ProgramTest, ProgressOnATerminalOnly) {
  const std::vector<std::string> arguments = {"run", "-m", TinyModel(), "-p", LongText(1500),
                                              "-n",  "2",  "--block",   "128"};
  const ProgramResult watched = RunProgram(arguments, {.terminal = true});
  EXPECT_EQ(watched.exit_code, 0) << watched.errors;
  EXPECT_TRUE(Contains(watched.errors, "reading  ")) << watched.errors;
  EXPECT_TRUE(Contains(watched.errors, " tokens (")) << watched.errors;
  EXPECT_TRUE(Contains(watched.errors, " left  ")) << watched.errors;
  EXPECT_TRUE(Contains(watched.errors, " MB")) << watched.errors;
  const ProgramResult unwatched = RunProgram(arguments);
  EXPECT_EQ(unwatched.errors, "");
  EXPECT_EQ(unwatched.output, watched.output);
}

TEST(ProgramTest, InterruptStopsAnAnswer) {
  const ProgramResult result = RunProgram({"run", "-m", TinyModel(), "-p", "aaa", "-n", "100000000", "--ignore-end",
                                           "--method", "streaming", "--temperature", "2"},
                                          {.interrupt_at = "a"});
  EXPECT_EQ(result.exit_code, 130) << result.errors;
  EXPECT_TRUE(result.errors.starts_with("ltri: stopped after ")) << result.errors;
  EXPECT_TRUE(result.output.ends_with("\n"));
}

TEST(ProgramTest, InterruptStopsReading) {
  const ProgramResult result = RunProgram({"run", "-m", TinyModel(), "-f", "-", "-n", "2", "--block", "64"},
                                          {.input = LongText(2000000), .terminal = true, .interrupt_at = "reading"});
  EXPECT_EQ(result.exit_code, 130) << result.errors;
  EXPECT_TRUE(Contains(result.errors, "ltri: stopped after ")) << result.errors;
  EXPECT_EQ(result.output, "");
}

}  // namespace
}  // namespace ltri
