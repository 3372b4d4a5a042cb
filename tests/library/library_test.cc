// The public API, with a tiny random model: what was indexed answers as what was just read.
#include "ltri/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;

std::string Novel(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += "Line " + std::to_string(i) + " of the növel, and what it tells.\n";
  return text;
}

class LibraryTest : public ::testing::Test {
 protected:
  LibraryTest() {
    options_.session = SmallOptions("ltri");
    options_.commit_every = 300;
  }

  std::string File(const std::string& name, const std::string& text) const {
    WriteFile(scratch_ / name, text);
    return scratch_ / name;
  }

  // The logits after document and question, when both are read in one go.
  std::vector<float> ReadInRam(const std::string& text, const std::string& question) const {
    Session session = MakeSession(model_, options_.session);
    return LogitsAfter(session, *model_->Tokenize(text + "\n\n" + question, true, false));
  }

  std::vector<float> Asked(const std::vector<std::string>& names, const std::string& question) const {
    auto session = library_.OpenSession(model_, names);
    EXPECT_TRUE(session.ok()) << session.error().message;
    if (!session.ok()) return {};
    return LogitsAfter(*session, *library_.QuestionTokens(*model_, names.front(), question));
  }

  const TemporaryFolder scratch_;
  Library library_{scratch_ / "library"};
  const std::shared_ptr<Model> model_ = TinyModel("llama");
  IndexOptions options_;
};

TEST_F(LibraryTest, AnswersAsTheSessionThatReadTheText) {
  const std::string text = Novel(120);
  const auto document = library_.Index(model_, "novel", {File("novel.txt", text)}, options_);
  ASSERT_TRUE(document.ok()) << document.error().message;
  EXPECT_TRUE(document->finished);
  EXPECT_TRUE(document->plain);  // the model has no chat template
  EXPECT_GT(document->commits, 5);
  EXPECT_EQ(document->text_bytes, static_cast<int64_t>(text.size()));
  EXPECT_EQ(Asked({"novel"}, "Which line?"), ReadInRam(text, "Which line?"));
}

TEST_F(LibraryTest, GoesOnWhereItWasStopped) {
  const std::string text = Novel(120);
  const std::string file = File("novel.txt", text);
  int runs = 0;
  while (true) {
    ASSERT_LT(++runs, 100);
    int calls = 0;
    const auto document =
        library_.Index(model_, "novel", {file}, options_, [&](const Progress&) { return ++calls < 9; });
    if (document.ok()) break;
    ASSERT_EQ(document.error().code, ErrorCode::kCancelled) << document.error().message;
    EXPECT_THAT(document.error().message, HasSubstr("`ltri index novel` goes on there"));
    EXPECT_FALSE(library_.Show("novel")->finished);
  }
  EXPECT_GT(runs, 3);
  EXPECT_EQ(Asked({"novel"}, "Which line?"), ReadInRam(text, "Which line?"));
  const auto again = library_.Index(model_, "novel", {}, options_);  // nothing left to do
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->commits, library_.Show("novel")->commits);
}

TEST_F(LibraryTest, ReadsWhatAFileHasGrownBy) {
  const std::string file = File("log.txt", Novel(30));
  ASSERT_TRUE(library_.Index(model_, "log", {file}, options_).ok());
  const std::string more = File("more.txt", "More of it.\n");
  WriteFile(file, Novel(60));
  const auto grown = library_.Index(model_, "log", {file, more}, options_);
  ASSERT_TRUE(grown.ok()) << grown.error().message;
  EXPECT_EQ(grown->sources.size(), 2U);
  EXPECT_EQ(grown->text_bytes, static_cast<int64_t>(Novel(60).size() + 1 + 12));  // an empty line between the files
  EXPECT_THAT(library_.Index(model_, "log", {more}, options_).error().message,
              HasSubstr("name these first, then what is new"));
  WriteFile(more, "something else entirely");
  EXPECT_THAT(library_.Index(model_, "log", {file, more}, options_).error().message,
              HasSubstr("are not those that were indexed"));
}

TEST_F(LibraryTest, RemembersTheFilesThatAreStillToBeRead) {
  const std::vector<std::string> files = {File("a.txt", Novel(40)), File("empty.txt", ""), File("b.txt", Novel(50))};
  const auto stopped = library_.Index(model_, "both", files, options_, [](const Progress& p) { return p.done < 400; });
  ASSERT_FALSE(stopped.ok());
  ASSERT_EQ(library_.Show("both")->sources.size(), 3U);
  const auto document = library_.Index(model_, "both", {}, options_);
  ASSERT_TRUE(document.ok()) << document.error().message;
  EXPECT_EQ(document->text_bytes, static_cast<int64_t>(Novel(40).size() + 1 + Novel(50).size()));
  EXPECT_EQ(Asked({"both"}, "Which?"), ReadInRam(Novel(40) + "\n" + Novel(50), "Which?"));
}

TEST_F(LibraryTest, FollowsAFileUntilItIsStopped) {
  const std::string file = File("log.txt", Novel(10) + "half a li");
  options_.follow = true;
  int calls = 0;
  const auto document = library_.Index(model_, "log", {file}, options_, [&](const Progress& progress) {
    if (progress.done == 0) return true;
    if (++calls == 12) WriteFile(file, Novel(10) + "half a line\n");
    return calls < 20;
  });
  ASSERT_TRUE(document.ok()) << document.error().message;
  EXPECT_TRUE(document->finished);
  EXPECT_EQ(document->text_bytes, static_cast<int64_t>(Novel(10).size() + 12));
}

TEST_F(LibraryTest, CitesTheBytesOfTheFile) {
  const std::vector<std::string> texts = {"\xEF\xBB\xBF" + Novel(40), Novel(50)};
  const std::vector<std::string> files = {File("a.txt", texts[0]), File("b.txt", texts[1])};
  ASSERT_TRUE(library_.Index(model_, "both", files, options_).ok());
  AskOptions ask;
  ask.answer.max_tokens = 8;
  ask.answer.ignore_end = true;
  ask.citations = 100;
  std::string heard;
  const auto answer = library_.Ask(model_, {"both"}, "Which?", ask, [&](std::string_view piece) {
    heard += piece;
    return true;
  });
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(heard, answer->generation.text);
  ASSERT_FALSE(answer->citations.empty());
  double shares = 0;
  for (const Citation& citation : answer->citations) {
    const std::string& text = texts[citation.file == files[0] ? 0 : 1];
    EXPECT_TRUE(citation.file == files[0] || citation.file == files[1]);
    const std::string bytes = text.substr(static_cast<size_t>(citation.byte_begin),
                                          static_cast<size_t>(citation.byte_end - citation.byte_begin));
    EXPECT_EQ(bytes.substr(0, 1), citation.text.substr(0, 1));
    EXPECT_EQ(citation.document, "both");
    shares += citation.share;
  }
  EXPECT_LE(shares, 1.0001);
}

TEST_F(LibraryTest, SeveralDocumentsAreAskedAtOnce) {
  ASSERT_TRUE(library_.Index(model_, "a", {File("a.txt", Novel(30))}, options_).ok());
  ASSERT_TRUE(library_.Index(model_, "b", {File("b.txt", Novel(40))}, options_).ok());
  AskOptions ask;
  ask.answer.max_tokens = 4;
  const auto answer = library_.Ask(model_, {"a", "b"}, "Which?", ask);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->document_tokens, library_.Show("a")->tokens + library_.Show("b")->tokens);
  EXPECT_THAT(library_.Ask(model_, {"a", "a"}, "?", ask).error().message, HasSubstr("named twice"));
  options_.session.window = 128;
  ASSERT_TRUE(library_.Index(model_, "c", {File("c.txt", Novel(40))}, options_).ok());
  EXPECT_THAT(library_.Ask(model_, {"a", "c"}, "?", ask).error().message, HasSubstr("different settings"));
}

TEST_F(LibraryTest, AnotherModelIsRefusedWithBothFingerprints) {
  ASSERT_TRUE(library_.Index(model_, "novel", {File("novel.txt", Novel(20))}, options_).ok());
  TinyModelSpec spec = TinySpec("llama");
  spec.seed = 77;  // other weights, all else the same
  const auto other = Model::Load(WriteTinyGguf(spec, scratch_.path()));
  ASSERT_TRUE(other.ok());
  const std::string mine = library_.Show("novel")->fingerprint;
  const auto asked = library_.Ask(*other, {"novel"}, "?");
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(asked.error().message, HasSubstr(mine));
  EXPECT_THAT(asked.error().message, ::testing::ContainsRegex(" is [0-9a-f]{16}"));
  EXPECT_THAT(library_.Index(*other, "novel", {}, options_).error().message, HasSubstr(mine));
  EXPECT_FALSE(library_.Compact(*other, "novel").ok());
}

TEST_F(LibraryTest, CompactKeepsTheAnswer) {
  ASSERT_TRUE(library_.Index(model_, "novel", {File("novel.txt", Novel(120))}, options_).ok());
  const std::vector<float> before = Asked({"novel"}, "Which?");
  const DocumentInfo info = *library_.Show("novel");
  const auto freed = library_.Compact(model_, "novel");
  ASSERT_TRUE(freed.ok()) << freed.error().message;
  const DocumentInfo compact = *library_.Show("novel");
  EXPECT_EQ(info.stored_bytes - compact.stored_bytes, *freed);
  EXPECT_EQ(compact.spans, info.spans);
  EXPECT_EQ(compact.created, info.created);
  EXPECT_EQ(Asked({"novel"}, "Which?"), before);
  EXPECT_TRUE(library_.Verify()->damage.empty());
  // And it can go on.
  WriteFile(scratch_ / "novel.txt", Novel(130));
  EXPECT_TRUE(library_.Index(model_, "novel", {}, options_).ok());
}

TEST_F(LibraryTest, ExportAndImportKeepTheAnswer) {
  ASSERT_TRUE(library_.Index(model_, "novel", {File("novel.txt", Novel(60))}, options_).ok());
  const std::vector<float> before = Asked({"novel"}, "Which?");
  ASSERT_TRUE(library_.Export("novel", scratch_ / "novel.ltri").ok());
  ASSERT_TRUE(library_.Remove("novel").ok());
  EXPECT_TRUE(library_.List()->empty());
  const auto back = library_.Import(scratch_ / "novel.ltri", "again");
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(Asked({"again"}, "Which?"), before);
}

TEST_F(LibraryTest, WhatCannotBeIndexedIsRefusedAndLeavesNothing) {
  const std::string bad = File("bad.txt", Novel(20) + "\xff\n");
  EXPECT_THAT(library_.Index(model_, "bad", {bad}, options_).error().message,
              HasSubstr("byte " + std::to_string(Novel(20).size()) + " is 0xff"));
  EXPECT_EQ(library_.Index(model_, "x", {scratch_ / "missing"}, options_).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(library_.Index(model_, "x", {scratch_.path()}, options_).ok());
  EXPECT_THAT(library_.Index(model_, "x", {File("empty.txt", "")}, options_).error().message, HasSubstr("empty"));
  EXPECT_FALSE(library_.Index(model_, "../x", {bad}, options_).ok());
  EXPECT_THAT(library_.Index(model_, "x", {}, options_).error().message, HasSubstr("name the files"));
  EXPECT_TRUE(library_.List()->empty());
  EXPECT_THAT(Library(scratch_ / "none").List().error().message, HasSubstr("there is no library"));
}

}  // namespace
}  // namespace ltri
