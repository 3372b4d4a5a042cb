// The public API of sessions.
#include "ltri/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "support/tiny_session.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;

class SessionTest : public ::testing::Test {
 protected:
  Session Make(const std::string& method = "ltri") const { return MakeSession(model_, SmallOptions(method)); }

  const std::shared_ptr<Model> model_ = TinyModel("llama");
  const std::vector<TokenId> text_ = TinyText(200, 3);
};

TEST_F(SessionTest, AnEmptyPromptIsAnError) {
  Session session = Make();
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_THAT(session.Generate().error().message, HasSubstr("prompt is empty"));
    EXPECT_THAT(session.NextLogits().error().message, HasSubstr("prompt is empty"));
    EXPECT_THAT(session.FinishPrompt().error().message, HasSubstr("prompt is empty"));
    ASSERT_TRUE(session.Append(std::vector<TokenId>{}).ok());
  }
  EXPECT_TRUE(session.Visible(0, 0).empty());
  EXPECT_TRUE(session.Spans(0).empty());
}

TEST_F(SessionTest, UnknownTokensAreRefusedWholly) {
  Session session = Make();
  for (const TokenId bad : {-1, 300, 2000000000}) {
    const Status status = session.Append(std::vector<TokenId>{5, 6, bad, 7});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(status.error().message, HasSubstr("token " + std::to_string(bad) + " at position 2"));
    EXPECT_TRUE(session.tokens().empty());
  }
}

TEST_F(SessionTest, TextMustBeUtf8) {
  Session session = Make();
  const Status status = session.Append("abc\xff");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SessionTest, WhatTheMachineCannotHoldIsRefused) {
  SessionOptions options;
  options.window = int64_t{1} << 60;
  const auto made = Session::Create(model_, options);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(made.error().message, HasSubstr("window 1152921504606846976"));
}

TEST_F(SessionTest, TextIsReadAsItsTokens) {
  Session by_text = Make();
  ASSERT_TRUE(by_text.Append("Once upon a time").ok());
  Session by_tokens = Make();
  ASSERT_TRUE(by_tokens.Append(*model_->Tokenize("Once upon a time", true, false)).ok());
  EXPECT_EQ(by_text.tokens(), by_tokens.tokens());
  EXPECT_EQ(*by_text.NextLogits(), *by_tokens.NextLogits());
  const size_t before = by_text.tokens().size();
  ASSERT_TRUE(by_text.Append(" there was").ok());  // no second beginning of text
  EXPECT_EQ(by_text.tokens().size(), before + model_->Tokenize(" there was", false, false)->size());
}

TEST_F(SessionTest, NextLogitsChangeNothing) {
  Session watched = Make();
  Session plain = Make();
  ASSERT_TRUE(watched.Append(text_).ok());
  ASSERT_TRUE(plain.Append(text_).ok());
  const std::vector<float> logits = *watched.NextLogits();
  EXPECT_EQ(*watched.NextLogits(), logits);
  EXPECT_EQ(GreedyTokens(watched, 10), GreedyTokens(plain, 10));
  EXPECT_EQ(watched.tokens().size(), text_.size() + 10);
}

TEST_F(SessionTest, GenerationMayBeSplit) {
  Session at_once = Make();
  Session in_steps = Make();
  ASSERT_TRUE(at_once.Append(text_).ok());
  ASSERT_TRUE(in_steps.Append(text_).ok());
  const std::vector<TokenId> expected = GreedyTokens(at_once, 12);
  std::vector<TokenId> tokens;
  for (const int64_t count : {5, 0, 1, 6}) {
    for (const TokenId token : GreedyTokens(in_steps, count)) tokens.push_back(token);
  }
  EXPECT_EQ(tokens, expected);
  EXPECT_EQ(at_once.tokens(), in_steps.tokens());
}

TEST_F(SessionTest, TheCallbackHearsTheTextAndStopsIt) {
  Session session = Make();
  ASSERT_TRUE(session.Append(text_).ok());
  Session copy = *session.Fork();
  GenerateOptions options;
  options.max_tokens = 20;
  options.ignore_end = true;
  std::string heard;
  int calls = 0;
  const auto stopped = session.Generate(options, [&](std::string_view piece) {
    heard += piece;
    return ++calls < 4;
  });
  ASSERT_TRUE(stopped.ok());
  EXPECT_EQ(stopped->tokens.size(), 4U);
  EXPECT_FALSE(stopped->ended);
  EXPECT_EQ(heard, stopped->text);
  // The rest follows as if nobody had stopped it.
  std::vector<TokenId> tokens = stopped->tokens;
  for (const TokenId token : GreedyTokens(session, 16)) tokens.push_back(token);
  EXPECT_EQ(tokens, GreedyTokens(copy, 20));
}

TEST_F(SessionTest, TogetherEachHasItsOwnCallback) {
  std::vector<Session> sessions;
  std::vector<std::vector<TokenId>> alone;
  for (const char* method : {"ltri", "dense", "streaming"}) {
    sessions.push_back(Make(method));
    ASSERT_TRUE(sessions.back().Append(text_).ok());
    Session copy = *sessions.back().Fork();
    alone.push_back(GreedyTokens(copy, 9));
  }
  std::vector<int> calls(3, 0);
  const std::vector<TextCallback> callbacks = {[&](std::string_view) { return ++calls[0] < 100; },
                                               [&](std::string_view) { return ++calls[1] < 3; }};
  GenerateOptions options;
  options.max_tokens = 9;
  options.ignore_end = true;
  const std::vector<Session*> together = {&sessions[0], &sessions[1], &sessions[2]};
  const auto results = Session::GenerateTogether(together, options, callbacks);
  ASSERT_TRUE(results.ok()) << results.error().message;
  EXPECT_EQ((*results)[0].tokens, alone[0]);
  EXPECT_EQ((*results)[1].tokens, Part(alone[1], 0, 3));
  EXPECT_EQ((*results)[2].tokens, alone[2]);
}

TEST_F(SessionTest, TogetherRefusesWhatCannotShareAStep) {
  Session one = Make();
  ASSERT_TRUE(one.Append(text_).ok());
  Session other = MakeSession(TinyModel("gemma3"), SmallOptions("ltri"));
  ASSERT_TRUE(other.Append(text_).ok());
  const std::vector<Session*> two_models = {&one, &other};
  EXPECT_THAT(Session::GenerateTogether(two_models, {}).error().message, HasSubstr("one model"));
  const std::vector<Session*> twice = {&one, &one};
  EXPECT_THAT(Session::GenerateTogether(twice, {}).error().message, HasSubstr("session 1 is named twice"));
  EXPECT_TRUE(Session::GenerateTogether({}, {})->empty());
  Session empty = Make();
  const std::vector<Session*> with_empty = {&one, &empty};
  EXPECT_THAT(Session::GenerateTogether(with_empty, {}).error().message, HasSubstr("prompt is empty"));
}

TEST_F(SessionTest, ForkOfAnEmptySessionIsEmpty) {
  Session session = Make();
  Session fork = *session.Fork();
  EXPECT_TRUE(fork.tokens().empty());
  EXPECT_EQ(LogitsAfter(fork, text_), LogitsAfter(session, text_));
}

TEST_F(SessionTest, ForksShareWhatTheyHaveRead) {
  Session session = Make("dense");
  LogitsAfter(session, TinyText(700, 1));
  Session fork = *session.Fork();
  LogitsAfter(fork, TinyText(40, 2));
  EXPECT_EQ(session.tokens().size(), 700U);
  EXPECT_EQ(fork.tokens().size(), 740U);
  Session moved = std::move(fork);
  EXPECT_EQ(moved.tokens().size(), 740U);
}

TEST_F(SessionTest, TruncateKnowsItsBounds) {
  Session session = Make();
  LogitsAfter(session, text_);
  for (const int64_t bad : {int64_t{-1}, int64_t{201}}) {
    const Status status = session.Truncate(bad);
    ASSERT_FALSE(status.ok());
    EXPECT_THAT(status.error().message, HasSubstr("truncate to " + std::to_string(bad) + " tokens: there are 200"));
  }
  const std::vector<float> logits = *session.NextLogits();
  ASSERT_TRUE(session.Truncate(200).ok());
  EXPECT_EQ(session.tokens(), text_);
  EXPECT_EQ(*session.NextLogits(), logits);  // to where it is: nothing happens
}

TEST_F(SessionTest, TruncateOfADenseSessionDecodesTheSameLogitsAgain) {
  Session session = Make("dense");
  const std::vector<float> logits = LogitsAfter(session, text_);
  GreedyTokens(session, 30);
  ASSERT_TRUE(session.Truncate(200).ok());
  EXPECT_EQ(*session.NextLogits(), logits);
}

// What streaming dropped is read again, to the same effect as reading only that.
TEST_F(SessionTest, TruncateReadsAgainWhatWasDropped) {
  Session session = Make("streaming");
  LogitsAfter(session, text_);
  ASSERT_TRUE(session.Truncate(120).ok());
  Session fresh = Make("streaming");
  ASSERT_TRUE(fresh.Append(Part(text_, 0, 120)).ok());
  EXPECT_EQ(*session.NextLogits(), *fresh.NextLogits());
}

TEST_F(SessionTest, ProgressCountsTheTokensOfThisCall) {
  Session session = Make();
  int64_t last = 0;
  const ProgressCallback watch = [&](const Progress& progress) {
    EXPECT_GT(progress.done, last);
    EXPECT_LE(progress.done, progress.total);
    EXPECT_GE(progress.seconds, 0);
    last = progress.done;
    return true;
  };
  ASSERT_TRUE(session.Append(text_, watch).ok());
  const int64_t appended = last;
  EXPECT_GT(appended, 0);
  last = 0;
  ASSERT_TRUE(session.FinishPrompt(watch).ok());
  EXPECT_EQ(appended + last, 199);  // the last token is decoded by itself
  EXPECT_EQ(session.FinishPrompt([](const Progress&) { return false; }).ok(), true);  // nothing left to do
}

TEST_F(SessionTest, CancelKeepsTheTextAndSaysHowFar) {
  Session session = Make();
  const Status status = session.Append(text_, [](const Progress&) { return false; });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(status.error().message, HasSubstr("32 of 200 tokens"));
  EXPECT_EQ(session.tokens(), text_);
}

// Sessions of one model may be used from several threads; each gets what it would get alone.
TEST_F(SessionTest, ThreadsMayShareAModel) {
  Session base = Make();
  ASSERT_TRUE(base.Append(text_).ok());
  Session expected = *base.Fork();
  const std::vector<TokenId> tokens = GreedyTokens(expected, 6);
  std::vector<Session> forks;
  for (int i = 0; i < 3; ++i) forks.push_back(*base.Fork());
  std::vector<std::vector<TokenId>> results(forks.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < forks.size(); ++i) {
    threads.emplace_back([&, i] { results[i] = GreedyTokens(forks[i], 6); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, tokens);
}

}  // namespace
}  // namespace ltri
