// `ltri index`, `ltri ask`, `ltri library` and `ltri chat --document`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/tiny_program.h"
#include "library/store.h"
#include "support/run_program.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;

// One library and one text for each test.
class LibraryCommandsTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteFile(text_, LongText(3000)); }

  ProgramResult Run(std::vector<std::string> arguments, const std::string& input = "") const {
    return RunProgram(arguments, {.input = input, .environment = {{"LTRI_LIBRARY", library_}, {"LTRI_MODEL", model_}}});
  }
  ProgramResult Index(const std::string& name, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"index",          name, text_, "--window", "256", "--block", "128",
                                          "--commit-every", "500"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  }
  nlohmann::json Json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  }

  const TemporaryFolder scratch_;
  const std::string library_ = scratch_ / "library";
  const std::string text_ = scratch_ / "text.txt";
  std::string model_ = TinyModel();
};

TEST_F(LibraryCommandsTest, IndexThenAsk) {
  const ProgramResult indexed = Index("book", {"--json", "--memory", "64MiB"});
  ASSERT_EQ(indexed.exit_code, 0) << indexed.errors;
  const auto document = nlohmann::json::parse(indexed.output);
  EXPECT_EQ(document["name"], "book");
  EXPECT_EQ(document["finished"], true);
  EXPECT_EQ(document["window"], 256);
  EXPECT_GT(document["commits"], 3);
  EXPECT_GT(document["read_tokens"], 1000);
  EXPECT_EQ(document["sources"][0]["path"], text_);

  const nlohmann::json answer = Json({"ask", "book", "Which line?", "-n", "5", "--ignore-end"});
  EXPECT_EQ(answer["generated_tokens"], 5);
  EXPECT_EQ(answer["documents"], nlohmann::json({"book"}));
  ASSERT_FALSE(answer["citations"].empty());
  for (const nlohmann::json& citation : answer["citations"]) {
    EXPECT_EQ(citation["document"], "book");
    EXPECT_EQ(citation["file"], text_);
    EXPECT_LT(citation["byte_begin"], citation["byte_end"]);
    EXPECT_LE(citation["byte_end"], 3100);
    EXPECT_GT(citation["share"], 0);
  }
  const ProgramResult plain = Run({"ask", "book", "Which line?", "-n", "5", "--ignore-end"});
  EXPECT_EQ(plain.exit_code, 0);
  EXPECT_THAT(plain.output, HasSubstr(answer["text"].get<std::string>()));
  EXPECT_THAT(plain.output, HasSubstr("book: " + text_ + ", bytes "));
}

TEST_F(LibraryCommandsTest, SeveralDocumentsAtOnce) {
  ASSERT_EQ(Index("a").exit_code, 0);
  ASSERT_EQ(Index("b").exit_code, 0);
  const nlohmann::json answer = Json({"ask", "a", "b", "Which line?", "-n", "3"});
  EXPECT_EQ(answer["documents"].size(), 2U);
  EXPECT_EQ(answer["document_tokens"], Json({"library", "show", "a"})["tokens"].get<int>() * 2);
}

TEST_F(LibraryCommandsTest, ListShowRemove) {
  EXPECT_THAT(Run({"library", "list"}).errors, HasSubstr("there is no library"));
  ASSERT_EQ(Index("book").exit_code, 0);
  EXPECT_EQ(Json({"library", "list"}).size(), 1U);
  EXPECT_THAT(Run({"library", "list"}).output, HasSubstr("book"));
  EXPECT_THAT(Run({"library", "show", "book"}).output, HasSubstr("window 256"));
  EXPECT_THAT(Run({"library", "show", "cook"}).errors, HasSubstr("no document 'cook'"));
  EXPECT_EQ(Run({"library", "remove", "book"}).exit_code, 0);
  EXPECT_TRUE(Json({"library", "list"}).empty());
}

TEST_F(LibraryCommandsTest, VerifyNamesTheDamageAndRepairGoesBack) {
  ASSERT_EQ(Index("book").exit_code, 0);
  EXPECT_THAT(Run({"library", "verify"}).output, HasSubstr("all is well"));
  EXPECT_THAT(Run({"library", "repair"}).output, HasSubstr("nothing to repair"));
  std::string segment;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(library_)) {
    if (entry.path().filename() == "segment.00000001") segment = entry.path().string();
  }
  std::string bytes = ReadFile(segment);
  bytes[5000] = static_cast<char>(bytes[5000] ^ 1);
  WriteFile(segment, bytes);
  const ProgramResult damaged = Run({"library", "verify", "book"});
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.output, HasSubstr("damaged: document 'book': " + segment + ": offset 4096"));
  EXPECT_EQ(Run({"library", "verify", "--json"}).exit_code, 1);
  // The first block belongs to every commit.
  const ProgramResult repair = Run({"library", "repair"});
  EXPECT_EQ(repair.exit_code, 1);
  EXPECT_THAT(repair.errors, HasSubstr("index them again"));
  EXPECT_EQ(Run({"ask", "book", "?"}).exit_code, 1);
}

TEST_F(LibraryCommandsTest, CompactExportImport) {
  ASSERT_EQ(Index("book").exit_code, 0);
  const nlohmann::json before = Json({"ask", "book", "Which?", "-n", "6"});
  EXPECT_THAT(Run({"library", "compact", "book"}).output, HasSubstr("became free"));
  EXPECT_EQ(Json({"ask", "book", "Which?", "-n", "6"})["text"], before["text"]);
  const std::string file = scratch_ / "book.ltri";
  ASSERT_EQ(Run({"library", "export", "book", file}).exit_code, 0);
  EXPECT_EQ(Run({"library", "export", "book", file}).exit_code, 1);
  ASSERT_EQ(Run({"library", "remove", "book"}).exit_code, 0);
  ASSERT_EQ(Run({"library", "import", file, "--name", "back"}).exit_code, 0);
  EXPECT_EQ(Json({"ask", "back", "Which?", "-n", "6"})["text"], before["text"]);
}

TEST_F(LibraryCommandsTest, ASecondWriterIsToldWhoWrites) {
  ASSERT_EQ(Index("book").exit_code, 0);
  const auto store = Store::Open(FileSystem::Posix(), library_, Access::kWrite);
  ASSERT_TRUE(store.ok());
  const ProgramResult second = Index("other");
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.errors, HasSubstr("is being written by process " + std::to_string(getpid())));
  EXPECT_EQ(Run({"ask", "book", "?", "-n", "1"}).exit_code, 0);  // readers do not mind
  EXPECT_EQ(Run({"library", "verify"}).exit_code, 0);
}

TEST_F(LibraryCommandsTest, CtrlCCommitsAndTheNextRunGoesOn) {
  WriteFile(text_, LongText(60000));
  const std::vector<std::string> arguments = {"index", "book", text_, "--window", "256", "--block", "128"};
  const ProgramResult stopped = RunProgram(
      arguments,
      {.environment = {{"LTRI_LIBRARY", library_}, {"LTRI_MODEL", model_}}, .terminal = true, .interrupt_at = " / "});
  EXPECT_EQ(stopped.exit_code, 130) << stopped.errors;
  EXPECT_THAT(stopped.errors, HasSubstr("`ltri index book` goes on there"));
  EXPECT_THAT(Run({"library", "show", "book"}).output, HasSubstr("not finished"));
  EXPECT_EQ(Run({"index", "book"}).exit_code, 0);
  EXPECT_EQ(Json({"library", "show", "book"})["text_bytes"], ReadFile(text_).size());
}

TEST_F(LibraryCommandsTest, ChatAboutADocument) {
  model_ = TinyChatModel();
  ASSERT_EQ(Index("book").exit_code, 0);
  const ProgramResult chat =
      Run({"chat", "--document", "book", "-n", "3"}, "Which line?\nAnd then?\n/undo\n/reset\nWhich line?\n");
  EXPECT_EQ(chat.exit_code, 0) << chat.errors;
  EXPECT_EQ(std::count(chat.output.begin(), chat.output.end(), '\n') >= 3, true) << chat.output;
  EXPECT_EQ(Run({"chat", "--document", "book", "--file", text_}, "x\n").exit_code, 1);
  EXPECT_EQ(Run({"chat", "--document", "cook"}, "x\n").exit_code, 1);
}

TEST_F(LibraryCommandsTest, WrongUsage) {
  EXPECT_EQ(Run({"index"}).exit_code, 2);
  EXPECT_EQ(Run({"ask", "book"}).exit_code, 2);
  EXPECT_EQ(Run({"library"}).exit_code, 2);
  EXPECT_EQ(Index("book", {"--memory", "lots"}).exit_code, 2);
  EXPECT_EQ(Index("book", {"--commit-every", "0"}).exit_code, 2);
  EXPECT_EQ(Index("../book").exit_code, 1);
  EXPECT_EQ(Index("book", {"--memory", "1.5GB"}).exit_code, 0);
}

}  // namespace
}  // namespace ltri
