// What every method promises, whatever its settings.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "conformance/settings.h"
#include "spans/span_cutter.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

constexpr int64_t kText = 230;      // tokens: more than sinks, window and budget of SmallOptions
constexpr float kRounding = 1e-2F;  // of logits of about 3, after sums in another order and keys in 16 bits

class Conformance : public ::testing::TestWithParam<Setting> {
 protected:
  std::shared_ptr<Model> model(int threads = 2) const { return TinyModel(GetParam().model, threads); }

  SessionOptions options() const {
    SessionOptions options = GetParam().options;
    if (WantsHeadTable(options)) options.head_table = SmallHeadTable(model()->info());
    return options;
  }

  // The same method with room for everything, at true positions.
  SessionOptions RoomyOptions() const {
    SessionOptions roomy = options();
    roomy.budget = 4096;
    roomy.positions = Positions::kTrue;
    if (!GetParam().Recalls()) roomy.window = 4096;
    return roomy;
  }

  Session Make() const { return MakeSession(model(), options()); }

  // Appends in pieces of random sizes, down to one token.
  static void AppendInPieces(Session& session, const std::vector<TokenId>& tokens, uint32_t seed) {
    std::mt19937 random(seed);
    const auto count = static_cast<int64_t>(tokens.size());
    for (int64_t begin = 0; begin < count;) {
      const int64_t longest = random() % 3 == 0 ? 90 : 9;
      const int64_t end = std::min(count, begin + 1 + static_cast<int64_t>(random()) % longest);
      ASSERT_TRUE(session.Append(Part(tokens, begin, end)).ok());
      begin = end;
    }
  }

  const std::vector<TokenId> text_ = TinyText(kText, 5);
};

// Both sessions give the same logits now, and the same tokens from now on.
void ExpectSame(Session& a, Session& b) {
  const auto logits_a = a.NextLogits();
  const auto logits_b = b.NextLogits();
  ASSERT_TRUE(logits_a.ok() && logits_b.ok());
  ASSERT_EQ(*logits_a, *logits_b);
  EXPECT_EQ(GreedyTokens(a, 6), GreedyTokens(b, 6));
  EXPECT_EQ(*a.NextLogits(), *b.NextLogits());
}

TEST_P(Conformance, PiecesOfAnySizeReadAlike) {
  Session whole = Make();
  ASSERT_TRUE(whole.Append(text_).ok());
  Session pieces = Make();
  AppendInPieces(pieces, text_, 1);
  ExpectSame(whole, pieces);
}

TEST_P(Conformance, ThreadsDoNotMatter) {
  Session two = Make();
  ASSERT_TRUE(two.Append(text_).ok());
  for (const int threads : {1, 5}) {
    Session other = MakeSession(model(threads), options());
    ASSERT_TRUE(other.Append(text_).ok());
    Session again = *two.Fork();
    ExpectSame(again, other);
  }
}

TEST_P(Conformance, ForksAreIndependent) {
  const std::vector<TokenId> left = TinyText(70, 8);
  const std::vector<TokenId> right = TinyText(90, 9);
  // Forked in the middle of a prompt, with tokens that wait.
  Session original = Make();
  ASSERT_TRUE(original.Append(text_).ok());
  Session fork = *original.Fork();
  const std::vector<float> left_logits = LogitsAfter(original, left);
  const std::vector<float> right_logits = LogitsAfter(fork, right);
  Session left_alone = Make();
  ASSERT_TRUE(left_alone.Append(text_).ok());
  EXPECT_EQ(LogitsAfter(left_alone, left), left_logits);
  Session right_alone = Make();
  ASSERT_TRUE(right_alone.Append(text_).ok());
  EXPECT_EQ(LogitsAfter(right_alone, right), right_logits);

  // Forked after reading: both go on as the original would.
  Session late = *original.Fork();
  EXPECT_EQ(late.memory().keys_and_values, original.memory().keys_and_values);
  EXPECT_EQ(GreedyTokens(original, 40), GreedyTokens(late, 40));
  EXPECT_EQ(*original.NextLogits(), *late.NextLogits());
}

TEST_P(Conformance, TruncatingWhatWaitsLeavesNoTrace) {
  Session session = Make();
  ASSERT_TRUE(session.Append(text_).ok());
  const int64_t keep = kText - 20;
  ASSERT_TRUE(session.Truncate(keep).ok());
  const std::vector<TokenId> tail = TinyText(30, 11);
  ASSERT_TRUE(session.Append(tail).ok());
  Session fresh = Make();
  ASSERT_TRUE(fresh.Append(Part(text_, 0, keep)).ok());
  ASSERT_TRUE(fresh.Append(tail).ok());
  ExpectSame(session, fresh);
}

TEST_P(Conformance, TruncatingToNothingStartsAfresh) {
  Session session = Make();
  LogitsAfter(session, TinyText(kText, 77));
  ASSERT_TRUE(session.Truncate(0).ok());
  EXPECT_TRUE(session.tokens().empty());
  EXPECT_FALSE(session.NextLogits().ok());
  ASSERT_TRUE(session.Append(text_).ok());
  Session fresh = Make();
  ASSERT_TRUE(fresh.Append(text_).ok());
  ExpectSame(session, fresh);
}

// With room for everything nothing but rounding tells a truncated session from one that never went further.
TEST_P(Conformance, TruncatingAndGoingOnEqualsNeverHavingGoneFurther) {
  const std::vector<TokenId> tail = TinyText(45, 12);
  for (const int64_t keep : {kText - 10, int64_t{150}, int64_t{97}, int64_t{30}, int64_t{2}}) {
    Session session = MakeSession(model(), RoomyOptions());
    LogitsAfter(session, text_);
    GreedyTokens(session, 7);
    ASSERT_TRUE(session.Truncate(keep).ok());
    ASSERT_EQ(session.tokens(), Part(text_, 0, keep));
    Session fresh = MakeSession(model(), RoomyOptions());
    ASSERT_TRUE(fresh.Append(Part(text_, 0, keep)).ok());
    EXPECT_LT(MaxDifference(*session.NextLogits(), *fresh.NextLogits()), kRounding) << "back to " << keep;
    EXPECT_LT(MaxDifference(LogitsAfter(session, tail), LogitsAfter(fresh, tail)), kRounding) << "back to " << keep;
  }
}

// Spans follow each other from the sinks on and are as long as they may be.
void ExpectSoundSpans(const Session& session, int64_t layers) {
  const SessionOptions& options = session.options();
  for (int64_t layer = 0; layer < layers; ++layer) {
    int64_t end = options.sinks;
    for (const SpanInfo& span : session.Spans(layer)) {
      ASSERT_EQ(span.begin, end);
      ASSERT_GT(span.end, span.begin);
      ASSERT_LE(span.end - span.begin, options.max_span);
      end = span.end;
    }
    ASSERT_LE(end, std::max<int64_t>(options.sinks, static_cast<int64_t>(session.tokens().size())));
  }
}

// seen: the last token that was read, plus one.
void ExpectSoundView(const Session& session, const ModelInfo& info, int64_t seen, bool recalls) {
  const SessionOptions& o = session.options();
  for (int64_t layer = 0; layer < info.layers; ++layer) {
    for (int64_t head = 0; head < info.heads; ++head) {
      const std::vector<TokenRange> visible = session.Visible(layer, head);
      ASSERT_FALSE(visible.empty());
      ASSERT_EQ(visible.back().end, seen);
      ASSERT_GE(visible.front().begin, 0);
      int64_t total = 0;
      for (size_t i = 0; i < visible.size(); ++i) {
        ASSERT_GT(visible[i].count(), 0);
        ASSERT_GE(visible[i].begin, i > 0 ? visible[i - 1].end : 0);
        total += visible[i].count();
      }
      if (!info.full_attention[static_cast<size_t>(layer)]) continue;
      if (o.sinks > 0) {
        ASSERT_EQ(visible.front().begin, 0);
        ASSERT_GE(visible.front().end, std::min(o.sinks, seen));
      }
      ASSERT_LE(visible.back().begin, std::max<int64_t>(0, seen - o.window - 1));
      // What is not cut yet stays local, and the last span may reach over the budget by half its length.
      const int64_t uncut = recalls ? 4 * o.max_span + SpanCutter::kCadence : 0;
      const int64_t recalled = recalls ? o.budget + o.max_span / 2 : 0;
      if (o.method != "dense") {
        ASSERT_LE(total, o.sinks + o.window + 1 + uncut + recalled);
      }
      if (recalls && visible.size() > 1) {
        const int64_t far = total - visible.back().count() - o.sinks;
        ASSERT_LE(far, recalled);
      }
    }
  }
}

TEST_P(Conformance, ViewsAndSpansAreSound) {
  Session session = Make();
  const ModelInfo& info = model()->info();
  EXPECT_TRUE(session.Visible(0, 0).empty());
  LogitsAfter(session, text_);
  for (int i = 0; i < 45; ++i) {
    const auto seen = static_cast<int64_t>(session.tokens().size());
    ASSERT_TRUE(session.NextLogits().ok());
    ASSERT_NO_FATAL_FAILURE(ExpectSoundView(session, info, seen, GetParam().Recalls()));
    ASSERT_NO_FATAL_FAILURE(ExpectSoundSpans(session, info.layers));
    GreedyTokens(session, 1);
  }
  // And after going back, among the spans and then into the window.
  for (const int64_t keep : {int64_t{140}, int64_t{125}, int64_t{40}, int64_t{3}}) {
    ASSERT_TRUE(session.Truncate(keep).ok());
    ASSERT_NO_FATAL_FAILURE(ExpectSoundSpans(session, info.layers));
    ASSERT_TRUE(session.NextLogits().ok());
    ASSERT_NO_FATAL_FAILURE(ExpectSoundView(session, info, keep, GetParam().Recalls()));
    for (const float logit : LogitsAfter(session, TinyText(9, static_cast<uint32_t>(keep)))) {
      ASSERT_TRUE(std::isfinite(logit));
    }
    ASSERT_NO_FATAL_FAILURE(ExpectSoundView(session, info, keep + 9, GetParam().Recalls()));
  }
}

// From shorter than the sinks to longer than a block.
TEST_P(Conformance, ShortTextsAreSeenWhole) {
  for (int64_t length = 1; length < 44; length += length < 8 ? 1 : 7) {
    Session session = Make();
    LogitsAfter(session, TinyText(length, 31));
    const std::vector<TokenId> tokens = GreedyTokens(session, 3);
    ASSERT_EQ(session.Visible(model()->info().layers - 1, 0), (std::vector<TokenRange>{{0, length + 2}}));
    Session dense = MakeSession(model(), SmallOptions("dense"));
    LogitsAfter(dense, TinyText(length, 31));
    EXPECT_EQ(GreedyTokens(dense, 3), tokens) << length;
  }
}

TEST_P(Conformance, NeighboursInABatchDoNotMatter) {
  std::vector<Session> sessions;
  sessions.push_back(Make());
  for (const std::string& method : MethodNames()) sessions.push_back(MakeSession(model(), SmallOptions(method)));
  std::vector<Session*> together;
  std::vector<std::vector<TokenId>> alone;
  for (size_t i = 0; i < sessions.size(); ++i) {
    ASSERT_TRUE(sessions[i].Append(i == 0 ? text_ : TinyText(60 + 50 * static_cast<int64_t>(i), 3)).ok());
    Session copy = *sessions[i].Fork();
    alone.push_back(GreedyTokens(copy, 8));
    together.push_back(&sessions[i]);
  }
  GenerateOptions eight;
  eight.max_tokens = 8;
  eight.ignore_end = true;
  const auto results = Session::GenerateTogether(together, eight);
  ASSERT_TRUE(results.ok()) << results.error().message;
  for (size_t i = 0; i < sessions.size(); ++i) EXPECT_EQ((*results)[i].tokens, alone[i]) << "session " << i;
}

TEST_P(Conformance, GoingOnAfterACancelEqualsNoCancel) {
  Session plain = Make();
  ASSERT_TRUE(plain.Append(text_).ok());
  Session stopped = Make();
  int64_t calls = 0;
  const ProgressCallback stop_early = [&](const Progress&) { return ++calls < 2; };
  const Status status = stopped.Append(text_, stop_early);
  if (calls > 0) {
    ASSERT_FALSE(status.ok() && calls == 2);
    EXPECT_EQ(stopped.tokens(), text_);
  }
  calls = 0;
  if (const Status end = stopped.FinishPrompt(stop_early); !end.ok()) {
    EXPECT_EQ(end.error().code, ErrorCode::kCancelled);
  }
  ExpectSame(plain, stopped);
}

TEST_P(Conformance, ConversationGoesOn) {
  // Prompt, answer, prompt, answer: a fork of the whole and a second run agree.
  Session first = Make();
  Session second = Make();
  for (uint32_t turn = 0; turn < 3; ++turn) {
    const std::vector<TokenId> prompt = TinyText(turn == 0 ? kText : 41, turn);
    ASSERT_TRUE(first.Append(prompt).ok());
    AppendInPieces(second, prompt, turn);
    EXPECT_EQ(GreedyTokens(first, 12), GreedyTokens(second, 12));
  }
  ExpectSame(first, second);
}

TEST_P(Conformance, RoomForEverythingEqualsDense) {
  SessionOptions dense = SmallOptions("dense");
  Session expected = MakeSession(model(), dense);
  Session actual = MakeSession(model(), RoomyOptions());
  EXPECT_LT(MaxDifference(LogitsAfter(actual, text_), LogitsAfter(expected, text_)), kRounding);
  for (const TokenId token : TinyText(40, 21)) {
    ASSERT_LT(MaxDifference(LogitsAfter(actual, {token}), LogitsAfter(expected, {token})), kRounding);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Conformance, ::testing::ValuesIn(AllSettings()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ltri
