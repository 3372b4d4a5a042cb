// Evidence from bytes to tokens, with tiny models; recalls of a whole trial.
#include "eval/run/token_prompt.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "eval/perplexity.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

using testing::SmallOptions;
using testing::TinyModel;

Sample LongSample() {
  Sample sample;
  for (int i = 0; i < 60; ++i) sample.prompt += "Line " + std::to_string(i) + ". ";
  const size_t at = sample.prompt.find("Line 20.");
  sample.evidence = {{at, at + 8}};
  sample.answer_prefix = "So";
  sample.max_tokens = 4;
  return sample;
}

TEST(TokenPromptTest, EvidenceIsTheSameText) {
  for (const char* name : {"llama", "gemma3"}) {
    const auto model = TinyModel(name);
    const Sample sample = LongSample();
    const Result<TrialPrompt> prompt = TokenizeSample(*model, sample, std::nullopt);
    ASSERT_TRUE(prompt.ok()) << prompt.error().message;
    ASSERT_EQ(prompt->evidence.size(), 1U);
    const TokenRange range = prompt->evidence[0];
    const std::string text =
        model->Detokenize({prompt->tokens.data() + range.begin, static_cast<size_t>(range.count())});
    EXPECT_NE(text.find("Line 20."), std::string::npos) << name << ": " << text;
    EXPECT_LT(text.size(), 14U) << text;
  }
}

TEST(TokenPromptTest, FrameGoesAroundTheTurnButNotAroundPlainSamples) {
  const auto model = TinyModel("llama");
  Sample sample = LongSample();
  const ChatFrame frame{"USER: ", "\nBOT:"};
  const auto text = [&] {
    const Result<TrialPrompt> prompt = TokenizeSample(*model, sample, frame);
    return prompt.ok() ? model->Detokenize(prompt->tokens) : prompt.error().message;
  };
  EXPECT_NE(text().find("USER: "), std::string::npos) << text();
  EXPECT_LT(text().find("USER: "), text().find("Line 0."));
  EXPECT_LT(text().find("Line 59."), text().find("\nBOT:"));
  EXPECT_LT(text().find("\nBOT:"), text().rfind("So"));
  sample.plain = true;
  EXPECT_EQ(text().find("USER"), std::string::npos);
}

TEST(TrialTest, RecallIsWhatWasVisible) {
  const auto model = TinyModel("llama");
  const Result<TrialPrompt> prompt = TokenizeSample(*model, LongSample(), std::nullopt);
  ASSERT_TRUE(prompt.ok());
  for (const auto& [method, least, most] : {std::tuple{"dense", 1.0F, 1.0F}, std::tuple{"streaming", 0.0F, 0.0F}}) {
    const Result<TrialAnswer> answer = RunTrial(model, SmallOptions(method), *prompt);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    ASSERT_EQ(answer->heads_first.size(), static_cast<size_t>(model->info().layers * model->info().heads));
    for (const float recall : answer->heads_first) {
      EXPECT_GE(recall, least) << method;
      EXPECT_LE(recall, most) << method;
    }
    EXPECT_GT(answer->memory.keys_and_values, 0);
  }
}

TEST(PerplexityTest, PartsCoverTheText) {
  const auto model = TinyModel("llama");
  const std::vector<TokenId> text = testing::TinyText(301, 3);
  const Result<PerplexityCurve> dense = MeasurePerplexity(*model, SmallOptions("dense"), text, 3);
  ASSERT_TRUE(dense.ok()) << dense.error().message;
  ASSERT_EQ(dense->parts.size(), 3U);
  EXPECT_EQ(dense->parts[0].begin, 1);
  EXPECT_EQ(dense->parts[1].begin, 101);
  EXPECT_EQ(dense->parts[2].end, 301);
  EXPECT_GT(dense->Perplexity(), 1.0);
  // Blocks change nothing for dense attention.
  SessionOptions other = SmallOptions("dense");
  other.block = 50;
  EXPECT_NEAR(MeasurePerplexity(*model, other, text, 3)->Perplexity() / dense->Perplexity(), 1.0, 1e-3);
  // As the session's own logits have it.
  Session session = testing::MakeSession(model, SmallOptions("dense"));
  const std::vector<float> logits = testing::LogitsAfter(session, testing::Part(text, 0, 300));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  const double loss = std::log(sum) - static_cast<double>(logits[static_cast<size_t>(text[300])]);
  EXPECT_NEAR(MeasurePerplexity(*model, SmallOptions("dense"), text, 300)->parts[299].loss, loss, 1e-3);
  EXPECT_FALSE(MeasurePerplexity(*model, SmallOptions("dense"), text, 301).ok());
}

}  // namespace
}  // namespace ltri
