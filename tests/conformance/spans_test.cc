// Spans depend on the text alone, not on how it was read, as long as everything stays visible.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "attention/method_driver.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

SessionOptions Roomy(SpanSelector selector) {
  SessionOptions options = SmallOptions("ltri");
  options.spans = selector;
  options.budget = 4096;
  options.positions = Positions::kTrue;
  return options;
}

class SpansTest : public ::testing::TestWithParam<SpanSelector> {};

// The same queries, keys and values in blocks of different sizes, and one by one.
TEST_P(SpansTest, BlocksOfAnySizeCutAlike) {
  std::vector<std::vector<Span>> expected;
  for (const int64_t block : {300, 1, 7, 32, 64, 101}) {
    MethodDriver driver(Roomy(GetParam()), 2.0F, 9);
    while (driver.size() < 300) {
      const int64_t count = std::min(block, 300 - driver.size());
      driver.Step(count, block == 1 ? StepKind::kDecode : StepKind::kPrompt);
    }
    if (expected.empty()) expected = {driver.method().Spans(0), driver.method().Spans(1)};
    for (size_t layer = 0; layer < 2; ++layer) {
      const std::vector<Span> spans = driver.method().Spans(static_cast<int64_t>(layer));
      ASSERT_GT(spans.size(), 5U);
      ASSERT_EQ(spans.size(), expected[layer].size()) << "blocks of " << block;
      for (size_t s = 0; s < spans.size(); ++s) {
        EXPECT_EQ(spans[s].begin, expected[layer][s].begin);
        EXPECT_EQ(spans[s].end, expected[layer][s].end);
        EXPECT_NEAR(spans[s].score, expected[layer][s].score, 1e-2F);
      }
    }
  }
}

// The same through a whole model: block sizes, dense and streamed prompts, and decoding token by token.
TEST_P(SpansTest, ModelsCutAlikeHoweverTheyRead) {
  for (const char* name : {"llama", "gemma3"}) {
    const std::shared_ptr<Model> model = TinyModel(name);
    const std::vector<TokenId> text = TinyText(301, 4);
    Session reference = MakeSession(model, Roomy(GetParam()));
    LogitsAfter(reference, text);
    const auto expect_same = [&](const Session& session, const char* how) {
      for (int64_t layer = 0; layer < model->info().layers; ++layer) {
        const std::vector<SpanInfo> expected = reference.Spans(layer);
        const std::vector<SpanInfo> spans = session.Spans(layer);
        ASSERT_EQ(spans.size(), expected.size()) << how << ", layer " << layer;
        for (size_t s = 0; s < spans.size(); ++s)
          EXPECT_EQ(spans[s].end, expected[s].end) << how << ", layer " << layer;
      }
    };
    for (const int64_t block : {5, 70, 200}) {
      SessionOptions options = Roomy(GetParam());
      options.block = block;
      Session session = MakeSession(model, options);
      LogitsAfter(session, text);
      expect_same(session, "blocks");
    }
    SessionOptions dense = Roomy(GetParam());
    dense.prefill = Prefill::kDense;
    Session session = MakeSession(model, dense);
    LogitsAfter(session, text);
    expect_same(session, "dense");
    Session decoded = MakeSession(model, Roomy(GetParam()));
    for (const TokenId token : text) LogitsAfter(decoded, {token});
    expect_same(decoded, "token by token");
  }
}

INSTANTIATE_TEST_SUITE_P(Selectors, SpansTest,
                         ::testing::Values(SpanSelector::kPartition, SpanSelector::kNms, SpanSelector::kFixed));

}  // namespace
}  // namespace ltri
