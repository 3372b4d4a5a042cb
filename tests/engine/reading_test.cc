// In which steps a session reads its text.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "engine/session_impl.h"
#include "support/tiny_session.h"

namespace ltri {

bool operator==(const StepRange& a, const StepRange& b) {
  return a.begin == b.begin && a.count == b.count && a.kind == b.kind;
}
std::ostream& operator<<(std::ostream& out, const StepRange& step) {
  return out << "[" << step.begin << ", " << step.end() << ") kind " << static_cast<int>(step.kind);
}

namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

constexpr StepKind kPrompt = StepKind::kPrompt;
constexpr StepKind kEnd = StepKind::kPromptEnd;
constexpr StepKind kAgain = StepKind::kReread;
constexpr StepKind kDecode = StepKind::kDecode;

// Remembers nothing but its steps.
class Recorder : public Method {
 public:
  Recorder(std::vector<StepRange>* steps, const ModelConfig& config, int64_t second_reading, int64_t sees_all_until)
      : steps_(steps),
        row_(config.heads * config.head_dim),
        second_reading_(second_reading),
        sees_all_until_(sees_all_until) {}

  int64_t size() const override { return size_; }
  bool SeesAll(int64_t tokens) const override { return tokens <= sees_all_until_; }
  int64_t SecondReading() const override { return second_reading_; }
  bool Truncate(int64_t tokens) override {
    size_ = tokens;
    return true;
  }
  std::unique_ptr<Method> Fork() const override { return std::make_unique<Recorder>(*this); }
  Status Stretch(ThreadPool&, int64_t tokens) override {
    size_ = tokens;
    return {};
  }
  std::vector<TokenRange> Visible(int64_t, int64_t) const override { return {}; }
  std::vector<Span> Spans(int64_t) const override { return {}; }
  MemoryUse memory() const override { return {}; }
  Status Save(const std::shared_ptr<BlockFile>&, StateWriter*) override { return {}; }
  Status Restore(const std::shared_ptr<BlockFile>&, StateReader*) override { return {}; }
  Status BeginStep(ThreadPool&, const StepRange& step) override {
    // Read again: the last tokens, or one ahead, which does not count as remembered.
    if (step.kind == kAgain) {
      EXPECT_TRUE(step.end() == size_ || (step.begin == size_ && step.count == 1)) << step;
    } else {
      EXPECT_EQ(step.begin, size_);
      size_ = step.end();
    }
    steps_->push_back(step);
    return {};
  }
  Status Attend(ThreadPool&, int64_t, const float*, const float*, const float*, float* out) override {
    std::fill_n(out, steps_->back().count * row_, 0.0F);
    return {};
  }
  Status EndStep(ThreadPool&) override { return {}; }

 private:
  std::vector<StepRange>* steps_;
  int64_t row_;
  int64_t second_reading_;
  int64_t sees_all_until_;
  int64_t size_ = 0;
};

class ReadingTest : public ::testing::Test {
 protected:
  Session Make(int64_t block, int64_t second_reading, int64_t sees_all_until = 0) {
    const std::shared_ptr<Model> model = TinyModel("llama");
    SessionOptions options = SmallOptions("ltri");
    options.block = block;
    auto method = std::make_unique<Recorder>(&steps_, model->engine().config(), second_reading, sees_all_until);
    return Session(std::make_unique<Session::Impl>(model, options, std::move(method)));
  }

  std::vector<StepRange> Taken() { return std::exchange(steps_, {}); }

  using Steps = std::vector<StepRange>;
  Steps steps_;
};

TEST_F(ReadingTest, BlocksThenTheEndAgainThenALookAhead) {
  Session session = Make(100, 64);
  ASSERT_TRUE(session.Append(TinyText(350, 1)).ok());
  EXPECT_EQ(Taken(), (Steps{{0, 100, kPrompt}, {100, 100, kPrompt}}));  // block, least end and last token wait
  ASSERT_TRUE(session.FinishPrompt().ok());
  // 149 are left: not 100 and 49, since the end must be long enough to choose by.
  EXPECT_EQ(Taken(),
            (Steps{{200, 85, kPrompt}, {285, 64, kEnd}, {285, 64, kAgain}, {285, 64, kAgain}, {349, 1, kAgain}}));
}

TEST_F(ReadingTest, WhatTheAnswerSeesAllOfIsReadOnceButLookedAheadFrom) {
  Session session = Make(100, 64, 1000);
  LogitsAfter(session, TinyText(150, 1));
  EXPECT_EQ(Taken(), (Steps{{0, 85, kPrompt}, {85, 64, kEnd}, {149, 1, kAgain}, {149, 1, kDecode}}));
}

TEST_F(ReadingTest, OnlyThisPromptIsReadAgain) {
  Session session = Make(100, 64);
  LogitsAfter(session, TinyText(40, 1));
  EXPECT_EQ(Taken(), (Steps{{0, 39, kEnd}, {0, 39, kAgain}, {0, 39, kAgain}, {39, 1, kAgain}, {39, 1, kDecode}}));
  GreedyTokens(session, 3);
  EXPECT_EQ(Taken(), (Steps{{40, 1, kDecode}, {41, 1, kDecode}}));
  LogitsAfter(session, TinyText(11, 2));
  // The last generated token was not read yet, and belongs to what follows.
  EXPECT_EQ(Taken(), (Steps{{42, 11, kEnd}, {42, 11, kAgain}, {42, 11, kAgain}, {53, 1, kAgain}, {53, 1, kDecode}}));
}

TEST_F(ReadingTest, ASingleTokenIsDecoded) {
  Session session = Make(100, 64);
  LogitsAfter(session, TinyText(1, 1));
  EXPECT_EQ(Taken(), (Steps{{0, 1, kDecode}}));
  LogitsAfter(session, TinyText(1, 1));
  EXPECT_EQ(Taken(), (Steps{{1, 1, kDecode}}));
}

TEST_F(ReadingTest, NoSecondReadingWhenOff) {
  Session session = Make(100, 0);
  LogitsAfter(session, TinyText(90, 1));
  EXPECT_EQ(Taken(), (Steps{{0, 89, kEnd}, {89, 1, kDecode}}));
}

TEST_F(ReadingTest, TruncateGoesBackOneMoreForTheLogits) {
  Session session = Make(100, 0);
  LogitsAfter(session, TinyText(90, 1));
  GreedyTokens(session, 5);
  Taken();
  ASSERT_TRUE(session.Truncate(50).ok());
  ASSERT_TRUE(session.NextLogits().ok());
  EXPECT_EQ(Taken(), (Steps{{49, 1, kDecode}}));
  LogitsAfter(session, TinyText(3, 2));
  EXPECT_EQ(Taken(), (Steps{{50, 2, kEnd}, {52, 1, kDecode}}));
}

// However a prompt comes, it is read in the same steps.
TEST_F(ReadingTest, PiecesAndCancelsDoNotChangeTheSteps) {
  for (int64_t length = 60; length < 420; length += 23) {
    const std::vector<TokenId> text = TinyText(length, 1);
    Session whole = Make(100, 64);
    LogitsAfter(whole, text);
    const Steps expected = Taken();
    for (const int64_t piece : {1, 37, 170}) {
      Session session = Make(100, 64);
      for (int64_t at = 0; at < length; at += piece) {
        ASSERT_TRUE(session.Append(Part(text, at, std::min(length, at + piece))).ok());
      }
      ASSERT_TRUE(session.NextLogits().ok());
      EXPECT_EQ(Taken(), expected) << length << " tokens in pieces of " << piece;
    }
    Session stopped = Make(100, 64);
    (void)stopped.Append(text, [](const Progress&) { return false; });
    while (!stopped.FinishPrompt([](const Progress&) { return false; }).ok()) {
    }
    ASSERT_TRUE(stopped.NextLogits().ok());
    EXPECT_EQ(Taken(), expected) << length << " tokens, stopped again and again";
  }
}

}  // namespace
}  // namespace ltri
