// Method::Stretch: every method goes on after a text was made longer for a bench.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "attention/registry.h"
#include "conformance/settings.h"
#include "engine/session_impl.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

constexpr int64_t kText = 230;
constexpr int64_t kLong = 1900;  // no multiple of anything

class Stretch : public ::testing::TestWithParam<Setting> {
 protected:
  std::unique_ptr<Session::Impl> Read() const {
    SessionOptions options = GetParam().options;
    const std::shared_ptr<Model> model = TinyModel(GetParam().model);
    if (WantsHeadTable(options)) options.head_table = SmallHeadTable(model->info());
    auto method = MakeMethod(model->engine().method_context(), options);
    if (!method.ok()) return nullptr;
    auto session = std::make_unique<Session::Impl>(model, options, std::move(*method));
    if (!session->Append(TinyText(kText, 5), {}).ok()) return nullptr;
    if (Logits(*session).empty()) return nullptr;
    return session;
  }

  static std::vector<float> Logits(Session::Impl& session) {
    if (!session.FinishPrompt({}).ok()) return {};
    if (session.HasLogits()) return session.logits();
    Slice slice = session.DecodeSlice();
    if (!session.engine().Step({&slice, 1}).ok()) return {};
    session.Decoded();
    return session.logits();
  }

  // The logits after each of some more tokens.
  static std::vector<std::vector<float>> Decode(Session::Impl& session) {
    std::vector<std::vector<float>> logits;
    for (const TokenId token : {40, 41, 42}) {
      session.Add(token);
      logits.push_back(Logits(session));
      EXPECT_FALSE(logits.back().empty());
      for (const float value : logits.back()) EXPECT_TRUE(std::isfinite(value));
    }
    return logits;
  }

  static void ExpectVisibleInOrder(const Session::Impl& session) {
    const ModelConfig& config = session.engine().config();
    const auto size = static_cast<int64_t>(session.tokens().size());
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      for (int64_t head = 0; head < config.heads; ++head) {
        const std::vector<TokenRange> visible = session.method().Visible(layer, head);
        ASSERT_FALSE(visible.empty());
        for (size_t i = 0; i < visible.size(); ++i) {
          EXPECT_LT(visible[i].begin, visible[i].end);
          EXPECT_GE(visible[i].begin, i == 0 ? 0 : visible[i - 1].end);
        }
        EXPECT_EQ(visible.back().end, size);
      }
    }
  }
};

TEST_P(Stretch, DecodesAtDepth) {
  const auto session = Read();
  ASSERT_NE(session, nullptr);
  ASSERT_TRUE(session->Stretch(kLong).ok());
  EXPECT_EQ(session->method().size(), kLong);
  ASSERT_EQ(static_cast<int64_t>(session->tokens().size()), kLong);
  EXPECT_EQ(session->tokens()[kText + 7], session->tokens()[7]);
  EXPECT_TRUE(session->HasLogits());
  Decode(*session);
  ExpectVisibleInOrder(*session);
}

TEST_P(Stretch, SpansFollowEachOther) {
  const auto session = Read();
  ASSERT_NE(session, nullptr);
  const SessionOptions& options = session->options();
  ASSERT_TRUE(session->Stretch(kLong).ok());
  for (int64_t layer = 0; layer < session->engine().config().layers; ++layer) {
    const std::vector<Span> spans = session->method().Spans(layer);
    if (spans.empty()) continue;
    EXPECT_EQ(spans.front().begin, options.sinks);
    for (size_t i = 1; i < spans.size(); ++i) ASSERT_EQ(spans[i].begin, spans[i - 1].end);
    EXPECT_GT(spans.back().end, kLong - 2 * options.max_span - 64);
    EXPECT_LT(spans.size(), static_cast<size_t>(kLong / options.min_span));
  }
}

TEST_P(Stretch, ForksAndGoesBack) {
  const auto session = Read();
  ASSERT_NE(session, nullptr);
  ASSERT_TRUE(session->Stretch(kLong).ok());
  auto fork = session->Fork();
  ASSERT_TRUE(fork.ok());
  EXPECT_EQ(Decode(*session), Decode(**fork));
  ASSERT_TRUE(session->Truncate(kLong - 20).ok());
  ASSERT_TRUE((*fork)->Truncate(kLong - 20).ok());
  EXPECT_EQ(Decode(*session), Decode(**fork));
  ExpectVisibleInOrder(*session);
}

TEST_P(Stretch, ToItsOwnLengthChangesNothing) {
  const auto session = Read();
  const auto same = Read();
  ASSERT_TRUE(session != nullptr && same != nullptr);
  ASSERT_TRUE(session->Stretch(kText).ok());
  EXPECT_EQ(Decode(*session), Decode(*same));
}

INSTANTIATE_TEST_SUITE_P(Methods, Stretch, ::testing::ValuesIn(AllSettings()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ltri
