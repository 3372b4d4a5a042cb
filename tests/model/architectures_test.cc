// Every architecture against llama.cpp in this process, with tiny random F32 models.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "attention/registry.h"
#include "engine/engine.h"
#include "ltri/session.h"
#include "support/llama_reference.h"
#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

using testing::Cosine;
using testing::LlamaReference;
using testing::TinyModelSpec;
using Logits = std::vector<float>;

constexpr int64_t kPrompt = 300;
constexpr int64_t kDecoded = 50;
// Logits spread over about 10. Keys and values are kept in 16 bits, where the order of a sum may turn a last digit: it
// moves logits by this much, and decides between two tokens that are as close.
constexpr float kTie = 5e-3F;

size_t Top(const Logits& logits) {
  return static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

float LargestDifference(const Logits& a, const Logits& b) {
  float most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::fabs(a[i] - b[i]));
  return most;
}

// The same choice, or one that `expected` holds for a tie.
void ExpectSameTop(const Logits& expected, const Logits& actual, int64_t position) {
  const size_t best = Top(expected);
  const size_t ours = Top(actual);
  if (best == ours) return;
  EXPECT_LT(expected[best] - expected[ours], kTie) << "position " << position << ": token " << ours << " for " << best;
}

std::vector<TokenId> RandomTokens(int64_t count, int64_t vocabulary) {
  std::mt19937 random(7);
  std::uniform_int_distribution<TokenId> any(0, static_cast<TokenId>(vocabulary - 1));
  std::vector<TokenId> tokens(static_cast<size_t>(count));
  for (TokenId& token : tokens) token = any(random);
  return tokens;
}

class ArchitecturesTest : public ::testing::TestWithParam<TinyModelSpec> {
 protected:
  void SetUp() override {
    path_ = testing::WriteTinyGguf(GetParam(), folder_.path());
    auto model = Model::Load(path_, {.threads = 2});
    ASSERT_TRUE(model.ok()) << model.error().message;
    model_ = *model;
    tokens_ = RandomTokens(kPrompt + kDecoded, model_->info().vocabulary);
  }

  // Reads tokens [begin, end) in one step; the logits after each.
  std::vector<Logits> Read(Method* method, int64_t begin, int64_t end, StepKind kind) {
    std::vector<float> all;
    Slice slice;
    slice.memory = method;
    slice.range = {begin, end - begin, kind};
    slice.tokens = {tokens_.data() + begin, static_cast<size_t>(end - begin)};
    slice.logit_rows = end - begin;
    slice.logits = &all;
    const Status status = model_->engine().Step({&slice, 1});
    EXPECT_TRUE(status.ok());
    std::vector<Logits> rows;
    const auto width = static_cast<int64_t>(all.size()) / (end - begin);
    for (int64_t i = 0; i < end - begin; ++i) rows.emplace_back(all.begin() + i * width, all.begin() + (i + 1) * width);
    return rows;
  }

  TemporaryFolder folder_;
  std::string path_;
  std::shared_ptr<Model> model_;
  std::vector<TokenId> tokens_;
};

TEST_P(ArchitecturesTest, LogitsEqualThoseOfLlamaCpp) {
  const std::vector<Logits> expected = LlamaReference(path_).Logits(tokens_, kPrompt);
  SessionOptions options;
  options.method = "dense";
  const auto method = MakeMethod(model_->engine().method_context(), options);
  ASSERT_TRUE(method.ok()) << method.error().message;
  std::vector<Logits> actual = Read(method->get(), 0, kPrompt, StepKind::kPrompt);
  for (int64_t i = kPrompt; i < kPrompt + kDecoded; ++i) {
    actual.push_back(Read(method->get(), i, i + 1, StepKind::kDecode)[0]);
  }
  ASSERT_EQ(actual.size(), expected.size());
  double worst = 1;
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(actual[i].size(), expected[i].size());
    worst = std::min(worst, Cosine(expected[i], actual[i]));
    ExpectSameTop(expected[i], actual[i], static_cast<int64_t>(i));
  }
  EXPECT_GT(worst, 0.9999);
  RecordProperty("worst_cosine", std::to_string(worst));
}

// Blocks that see the past through spans must see all of it when the budget holds the text.
TEST_P(ArchitecturesTest, BudgetBeyondTheTextEqualsDense) {
  SessionOptions dense;
  dense.method = "dense";
  dense.block = 32;
  SessionOptions ltri = dense;
  ltri.method = "ltri";
  ltri.prefill = Prefill::kStream;
  ltri.positions = Positions::kTrue;
  ltri.sinks = 4;
  ltri.window = 64;
  ltri.max_span = 32;
  ltri.budget = kPrompt + kDecoded;
  auto exact = Session::Create(model_, dense);
  auto recalled = Session::Create(model_, ltri);
  ASSERT_TRUE(exact.ok() && recalled.ok());
  const std::span<const TokenId> prompt(tokens_.data(), kPrompt);
  ASSERT_TRUE(exact->Append(prompt).ok());
  ASSERT_TRUE(recalled->Append(prompt).ok());
  for (int64_t i = 0; i < kDecoded; ++i) {
    const auto expected = exact->NextLogits();
    const auto actual = recalled->NextLogits();
    ASSERT_TRUE(expected.ok() && actual.ok());
    EXPECT_LT(LargestDifference(*expected, *actual), kTie) << "decoded " << i;
    ExpectSameTop(*expected, *actual, kPrompt + i);
    const auto next = static_cast<TokenId>(Top(*expected));
    ASSERT_TRUE(exact->Append({&next, 1}).ok());
    ASSERT_TRUE(recalled->Append({&next, 1}).ok());
  }
  int64_t spans = 0;
  for (int64_t layer = 0; layer < model_->info().layers; ++layer) {
    if (model_->info().full_attention[static_cast<size_t>(layer)]) {
      spans += static_cast<int64_t>(recalled->Spans(layer).size());
    }
  }
  EXPECT_GT(spans, 0) << "nothing left the window, so nothing was tested";
}

INSTANTIATE_TEST_SUITE_P(All, ArchitecturesTest, ::testing::ValuesIn(testing::AllTinySpecs()),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace ltri
