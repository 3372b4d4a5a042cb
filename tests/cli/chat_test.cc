// `ltri chat` through a pipe.
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/tiny_program.h"
#include "support/run_program.h"

namespace ltri {
namespace {

using testing::ProgramResult;
using testing::RunProgram;

ProgramResult Chat(const std::string& input, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"chat", "-m", TinyChatModel(), "-n", "6", "--threads", "1"});
  return RunProgram(more, {.input = input});
}

TEST(ChatTest, AnswersEachLine) {
  const ProgramResult one = Chat("Hello\n");
  EXPECT_EQ(one.exit_code, 0) << one.errors;
  EXPECT_EQ(one.errors, "");
  EXPECT_TRUE(one.output.ends_with("\n"));
  const ProgramResult two = Chat("Hello\n\nAnd now?");  // an empty line says nothing; the last needs no end
  EXPECT_EQ(two.exit_code, 0);
  EXPECT_TRUE(two.output.starts_with(one.output));
  EXPECT_GT(two.output.size(), one.output.size());
}

TEST(ChatTest, UndoAndResetTakeTurnsBack) {
  const std::string hello = Chat("Hello\n").output;
  EXPECT_EQ(Chat("Hello\n/undo\nHello\n").output, hello + hello);
  EXPECT_EQ(Chat("Hello\nMore\n/reset\nHello\n").output, Chat("Hello\nMore\n").output + hello);
  const std::string more = Chat("Hello\nMore\n").output;
  EXPECT_EQ(Chat("Hello\nMore\n/undo\nMore\n").output, more + more.substr(hello.size()));
  EXPECT_TRUE(Contains(Chat("/undo\n").errors, "nothing to take back"));
}

TEST(ChatTest, ExitHelpAndUnknownCommands) {
  EXPECT_EQ(Chat("/exit\nHello\n").output, "");
  EXPECT_TRUE(Contains(Chat("/help\n").output, "/undo"));
  const ProgramResult unknown = Chat("/wrong\nHello\n");
  EXPECT_TRUE(Contains(unknown.errors, "There is no command /wrong"));
  EXPECT_EQ(unknown.output, Chat("Hello\n").output);
  EXPECT_EQ(Chat("").exit_code, 0);
}

TEST(ChatTest, DocumentsComeBeforeTheFirstQuestion) {
  const std::string file = TestFolder() / "document.txt";
  WriteFile(file, "A document.");
  EXPECT_EQ(Chat("Hello\n", {"-f", file}).output, Chat("Hello\n", {"--file=" + file, "--window=512"}).output);
  const ProgramResult missing = Chat("Hello\n", {"-f", "/nowhere"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_TRUE(Contains(missing.errors, "/nowhere"));
}

TEST(ChatTest, ALineThatIsNotUtf8EndsItsTurnOnly) {
  const ProgramResult result = Chat("\xFF\nHello\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(Contains(result.errors, "UTF-8")) << result.errors;
  EXPECT_EQ(result.output, Chat("Hello\n").output);
}

TEST(ChatTest, InterruptStopsTheAnswerNotTheConversation) {
  const ProgramResult result = RunProgram(
      {"chat", "-m", TinyChatModel(), "-n", "100000000", "--ignore-end", "--method", "streaming", "--temperature", "2"},
      {.input = "aaa\n", .interrupt_at = "a"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;  // then the input ended
  EXPECT_TRUE(result.output.ends_with("\n"));
}

TEST(ChatTest, NeedsAChatTemplate) {
  const ProgramResult result = RunProgram({"chat", "-m", TinyModel()}, {.input = "Hello\n"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(Contains(result.errors, "has no chat template")) << result.errors;
}

}  // namespace
}  // namespace ltri
