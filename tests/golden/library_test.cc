// A document on disk with the default model: it answers as the session that read the text in RAM, bit for bit.
// LTRI_DOCUMENT names a text, and LTRI_DOCUMENT_TOKENS how much of it; both are small without.
#include "ltri/library.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/temporary_folder.h"
#include "support/test_model.h"

namespace ltri {
namespace {

constexpr int64_t kRam = int64_t{64} << 20;  // far less than keys and values take
constexpr const char* kFact = "The special magic number for Lowick is: 7358291.";
constexpr const char* kQuestion =
    "What is the special magic number for Lowick? The special magic number for Lowick is:";

std::string Variable(const char* name, const std::string& standard) {
  const char* value = std::getenv(name);
  return value == nullptr ? standard : value;
}

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// The beginning of a text, with the fact after about two thirds of it.
std::string TextWithFact(const Model& model, int64_t tokens) {
  const std::string text = ReadFile(Variable("LTRI_DOCUMENT", LTRI_TEST_DATA "/moby-dick.txt"));
  const auto all = model.Tokenize(std::string_view(text).substr(0, static_cast<size_t>(tokens) * 8), false, false);
  std::vector<TokenId> part = *all;
  part.resize(std::min(part.size(), static_cast<size_t>(tokens)));
  std::string beginning = model.Detokenize(part);
  const size_t place = beginning.find("\n\n", beginning.size() * 2 / 3);
  return beginning.insert(place == std::string::npos ? 0 : place, fmt::format("\n\n{}", kFact));
}

void PrintRate(const char* where, int64_t tokens, double seconds) {
  std::printf("%lld tokens %s: %.1f tokens/s\n", static_cast<long long>(tokens), where,
              static_cast<double>(tokens) / seconds);
  std::fflush(stdout);
}

TEST(LibraryWithModelTest, ADocumentOnDiskGivesTheLogitsOfTheSessionInRam) {
  const std::string path = TestModel("smollm2");
  if (path.empty()) GTEST_SKIP() << kNoTestModel;
  const auto model = Model::Load(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const std::string text = TextWithFact(**model, std::stoll(Variable("LTRI_DOCUMENT_TOKENS", "5000")));
  const TemporaryFolder folder;
  WriteFile(folder / "text", text);
  const Library library(folder / "library");
  IndexOptions options;
  options.plain = true;
  options.memory = std::stoll(Variable("LTRI_DOCUMENT_MEMORY", std::to_string(kRam)));
  const Stopwatch indexing;
  const auto document = library.Index(*model, "book", {folder / "text"}, options);
  ASSERT_TRUE(document.ok()) << document.error().message;
  PrintRate("to disk", document->tokens, indexing.seconds());

  auto session = Session::Create(*model, options.session);
  ASSERT_TRUE(session.ok());
  const Stopwatch reading;
  ASSERT_TRUE(session->Append(*(*model)->Tokenize(text, true, false)).ok());
  PrintRate("in RAM", document->tokens, reading.seconds());

  auto stored = library.OpenSession(*model, {"book"}, options.memory);
  ASSERT_TRUE(stored.ok()) << stored.error().message;
  const auto question = library.QuestionTokens(**model, "book", kQuestion);
  ASSERT_TRUE(question.ok());
  std::string answers[2];
  std::vector<float> logits[2];
  for (const int i : {0, 1}) {
    Session& asked = i == 0 ? *session : *stored;
    ASSERT_TRUE(asked.Append(*question).ok());
    GenerateOptions generate;
    generate.max_tokens = 8;
    const auto answer = asked.Generate(generate);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    answers[i] = answer->text;
    logits[i] = *asked.NextLogits();
  }
  EXPECT_EQ(answers[0], answers[1]);
  EXPECT_EQ(logits[0], logits[1]);
  std::printf("answer: %s\n", answers[1].c_str());
}

}  // namespace
}  // namespace ltri
