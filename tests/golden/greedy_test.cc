// Real weights: the same greedy answers as llama.cpp.
//
// llama.cpp rounds activations to 8 bits before quantised products; we do so for decoded tokens only. How much that
// moves logits depends on the model: those of Gemma 3 270M move by 0.1 to 0.7 (root mean square) when llama.cpp itself
// reads the same 19 tokens one by one instead of in one batch. So the strict comparison is made with the layers'
// weights as floats, where nothing is rounded, and with the file as it is a tie is what llama.cpp cannot tell apart
// itself, or a token that it prefers with floats.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "ltri/session.h"
#include "support/float_gguf.h"
#include "support/llama_reference.h"
#include "support/temporary_folder.h"
#include "support/test_model.h"

namespace ltri {
namespace {

using testing::LlamaReference;

constexpr int kAnswer = 64;    // tokens
constexpr float kTie = 0.05F;  // between the two likeliest tokens

// About 300 tokens.
std::string Passage() {
  std::ifstream file(LTRI_TEST_DATA "/moby-dick.txt", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t begin = text.find("Call me Ishmael");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find(' ', begin + 1300) - begin);
}

const std::vector<std::string>& Prompts() {
  static const std::vector<std::string> prompts = {"1, 2, 3, 5, 8, 13,", Passage()};
  return prompts;
}

Generation OurAnswer(const std::shared_ptr<Model>& model, const std::vector<TokenId>& prompt) {
  SessionOptions options;
  options.method = "dense";
  GenerateOptions greedy;
  greedy.max_tokens = kAnswer;
  greedy.ignore_end = true;
  auto session = Session::Create(model, options);
  if (!session.ok() || !session->Append(prompt).ok()) return {};
  auto answer = session->Generate(greedy);
  return answer.ok() ? *answer : Generation();
}

// How far llama.cpp's logits after `tokens` move when it reads them one by one. Root mean square.
float OwnNoise(LlamaReference* llama, const std::vector<TokenId>& tokens, const std::vector<float>& logits) {
  const std::vector<float> other = llama->Logits(tokens, /*prompt=*/1).back();
  double squares = 0;
  for (size_t i = 0; i < logits.size(); ++i) squares += std::pow(static_cast<double>(logits[i]) - other[i], 2);
  return static_cast<float>(std::sqrt(squares / static_cast<double>(logits.size())));
}

// How much better than `ours` llama.cpp finds `theirs` after `tokens` when the layers' weights are floats: then it does
// not round activations to 8 bits, which moves the logits of these small models by 0.1 to 0.5.
float GapWithFloats(const std::string& path, const std::vector<TokenId>& tokens, TokenId theirs, TokenId ours) {
  const TemporaryFolder folder;
  if (!testing::WriteFloatLayers(path, folder / "floats.gguf")) return std::numeric_limits<float>::infinity();
  const std::vector<float> row = LlamaReference(folder / "floats.gguf").Logits(tokens, /*prompt=*/1).back();
  return row[static_cast<size_t>(theirs)] - row[static_cast<size_t>(ours)];
}

// Where the answers part, llama.cpp must have held our token for almost as good, as it is or with floats. After that
// they are different texts.
void ExpectSameAnswers(const std::string& path, bool allow_noise) {
  const auto model = Model::Load(path, {.threads = 2});
  ASSERT_TRUE(model.ok()) << model.error().message;
  LlamaReference llama(path);
  for (const std::string& prompt : Prompts()) {
    SCOPED_TRACE(prompt);
    auto tokens = *(*model)->Tokenize(prompt, /*begin=*/true, /*control=*/false);
    std::vector<std::vector<float>> logits;
    const std::vector<TokenId> expected = llama.Greedy(tokens, kAnswer, &logits);
    const Generation answer = OurAnswer(*model, tokens);
    ASSERT_EQ(answer.tokens.size(), expected.size());
    const auto [theirs, ours] = std::mismatch(expected.begin(), expected.end(), answer.tokens.begin());
    if (theirs == expected.end()) continue;
    const std::vector<float>& row = logits[static_cast<size_t>(theirs - expected.begin())];
    tokens.insert(tokens.end(), expected.begin(), theirs);
    const float tie = allow_noise ? std::max(kTie, 2 * OwnNoise(&llama, tokens, row)) : kTie;
    const float gap = row[static_cast<size_t>(*theirs)] - row[static_cast<size_t>(*ours)];
    if (gap < tie) continue;
    EXPECT_LT(GapWithFloats(path, tokens, *theirs, *ours), kTie)
        << gap << " after " << theirs - expected.begin() << " tokens; ours: " << answer.text;
  }
}

void ExpectSameAnswersWithFloats(const std::string& path) {
  const TemporaryFolder folder;
  ASSERT_TRUE(testing::WriteFloatLayers(path, folder / "floats.gguf")) << "no room for the model as floats?";
  ExpectSameAnswers(folder / "floats.gguf", /*allow_noise=*/false);
}

TEST(GreedyTest, SmolLm2AnswersAsInLlamaCpp) {
  const std::string path = TestModel("smollm2");
  if (path.empty()) GTEST_SKIP() << kNoTestModel;
  ExpectSameAnswers(path, /*allow_noise=*/false);
}

TEST(GreedyTest, SmolLm2AnswersAsInLlamaCppWithFloats) {
  const std::string path = TestModel("smollm2");
  if (path.empty()) GTEST_SKIP() << kNoTestModel;
  ExpectSameAnswersWithFloats(path);
}

TEST(GreedyTest, Gemma3AnswersAsInLlamaCpp) {
  const std::string path = TestModel("gemma3-270m");
  if (path.empty()) GTEST_SKIP() << "skipped: the model is missing; fetch it with `ltri pull gemma3-270m`";
  ExpectSameAnswers(path, /*allow_noise=*/true);
}

TEST(GreedyTest, Gemma3AnswersAsInLlamaCppWithFloats) {
  const std::string path = TestModel("gemma3-270m");
  if (path.empty()) GTEST_SKIP() << "skipped: the model is missing; fetch it with `ltri pull gemma3-270m`";
  ExpectSameAnswersWithFloats(path);
}

}  // namespace
}  // namespace ltri
