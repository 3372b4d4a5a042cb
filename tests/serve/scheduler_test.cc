#include "serve/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <thread>

#include "support/tiny_session.h"
#include "text/utf8.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

// What a client got.
struct Reply {
  std::map<int, std::string> texts;
  std::map<int, AnswerEnd> ends;
  std::vector<PromptProgress> progress;
  std::vector<TokenLogprob> logprobs;  // of answer 0
  RequestEnded end;
  std::string error;
  bool done = false;
};

void Take(Ticket& ticket, Reply* reply) {
  while (std::optional<GenerateEvent> event = ticket.Wait(std::chrono::milliseconds(0))) {
    if (const auto* text = std::get_if<AnswerText>(&*event)) {
      reply->texts[text->choice] += text->text;
      if (text->choice == 0) {
        reply->logprobs.insert(reply->logprobs.end(), text->logprobs.begin(), text->logprobs.end());
      }
    } else if (const auto* progress = std::get_if<PromptProgress>(&*event)) {
      reply->progress.push_back(*progress);
    } else if (const auto* ended = std::get_if<AnswerEnded>(&*event)) {
      reply->ends[ended->choice] = ended->why;
    } else if (const auto* end = std::get_if<RequestEnded>(&*event)) {
      reply->end = *end;
      reply->done = true;
    } else if (const auto* failed = std::get_if<RequestFailed>(&*event)) {
      reply->error = failed->error.message;
      reply->done = true;
    }
  }
}

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() {
    options_.now = [this] { return time_; };
  }

  GenerateRequest Request(std::vector<TokenId> prompt, int64_t max_tokens = 8) const {
    GenerateRequest request;
    request.prompt = std::move(prompt);
    request.session = SmallOptions(method_);
    request.max_tokens = max_tokens;
    request.ignore_end = true;
    return request;
  }

  Scheduler& Make() {
    scheduler_ = std::make_unique<Scheduler>(TinyModel("llama"), options_, &metrics_);
    return *scheduler_;
  }

  // Steps of a second each, until nothing is left.
  void RunAll() {
    do time_ += 1;
    while (scheduler_->Step());
  }

  Reply Alone(GenerateRequest request) {
    Scheduler alone(TinyModel("llama"), {}, &metrics_);
    const std::shared_ptr<Ticket> ticket = alone.Submit(std::move(request));
    while (alone.Step()) {
    }
    Reply reply;
    Take(*ticket, &reply);
    return reply;
  }

  std::string method_ = "ltri";
  double time_ = 0;
  SchedulerOptions options_;
  Metrics metrics_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, EachGetsWhatItWouldGetAlone) {
  for (const std::string method : {"ltri", "dense", "streaming", "infllm"}) {
    method_ = method;
    Scheduler& scheduler = Make();
    std::vector<std::shared_ptr<Ticket>> tickets;
    const std::vector<int64_t> lengths = {300, 1, 40, 150, 2, 333};
    for (size_t i = 0; i < lengths.size(); ++i) {
      tickets.push_back(scheduler.Submit(Request(TinyText(lengths[i], static_cast<uint32_t>(i)), 12)));
      scheduler.Step();
    }
    RunAll();
    for (size_t i = 0; i < lengths.size(); ++i) {
      Reply reply;
      Take(*tickets[i], &reply);
      const Reply alone = Alone(Request(TinyText(lengths[i], static_cast<uint32_t>(i)), 12));
      EXPECT_EQ(reply.texts, alone.texts) << method << ", " << lengths[i] << " tokens";
      EXPECT_EQ(reply.end.prompt_tokens, lengths[i]);
      EXPECT_EQ(reply.end.answer_tokens, 12);
      EXPECT_EQ(reply.ends[0], AnswerEnd::kLength);
    }
  }
}

TEST_F(SchedulerTest, TheSameAsASessionOfItsOwn) {
  Session session = MakeSession(TinyModel("llama"), SmallOptions("ltri"));
  LogitsAfter(session, TinyText(200, 3));
  const std::vector<TokenId> tokens = GreedyTokens(session, 10);
  Utf8Stream characters;
  std::string text = characters.Push(TinyModel("llama")->Detokenize(tokens));
  text += characters.Finish();
  EXPECT_EQ(Alone(Request(TinyText(200, 3), 10)).texts[0], text);
}

TEST_F(SchedulerTest, AnswersGrowWhileALongPromptIsRead) {
  options_.prompt_share = 0.5;
  Scheduler& scheduler = Make();
  const auto quick = scheduler.Submit(Request(TinyText(10, 1), 40));
  for (int i = 0; i < 5; ++i) time_ += 0.1, scheduler.Step();
  const auto slow = scheduler.Submit(Request(TinyText(600, 2), 4));
  Reply reply;
  Reply long_reply;
  for (int i = 0; i < 20; ++i) {
    scheduler.Step();
    time_ += 0.1;
  }
  Take(*quick, &reply);
  Take(*slow, &long_reply);
  EXPECT_GT(reply.texts[0].size(), 15U);
  EXPECT_FALSE(long_reply.progress.empty());
  EXPECT_FALSE(long_reply.done);
  RunAll();
  Take(*slow, &long_reply);
  EXPECT_TRUE(long_reply.done);
  EXPECT_EQ(long_reply.progress.back().read, 600);
  EXPECT_TRUE(std::is_sorted(long_reply.progress.begin(), long_reply.progress.end(),
                             [](const PromptProgress& a, const PromptProgress& b) { return a.read < b.read; }));
}

// Whoever comes does not wait for a long prompt's end, and the long prompt goes on whoever comes.
TEST_F(SchedulerTest, PromptsTakeTurns) {
  options_.step_seconds = 0;  // one prompt a step
  Scheduler& scheduler = Make();
  const auto slow = scheduler.Submit(Request(TinyText(2000, 1), 1));
  time_ += 1;
  scheduler.Step();
  std::vector<std::shared_ptr<Ticket>> newcomers;
  int64_t read = 0;
  for (int i = 0; i < 10; ++i) {
    newcomers.push_back(scheduler.Submit(Request(TinyText(20, static_cast<uint32_t>(i)), 1)));
    for (int step = 0; step < 6; ++step) {
      time_ += 1;
      scheduler.Step();
    }
    Reply reply;
    Take(*newcomers.back(), &reply);
    EXPECT_TRUE(reply.done) << i;
    Reply slow_reply;
    Take(*slow, &slow_reply);
    ASSERT_FALSE(slow_reply.progress.empty()) << i;
    EXPECT_GT(slow_reply.progress.back().read, read);
    read = slow_reply.progress.back().read;
  }
}

TEST_F(SchedulerTest, HigherPriorityGoesFirstButNobodyStarves) {
  options_.parallel = 1;
  options_.patience = 10;
  Scheduler& scheduler = Make();
  const auto first = scheduler.Submit(Request(TinyText(5, 1), 2));
  scheduler.Step();
  const auto low = scheduler.Submit(Request(TinyText(5, 2), 2));
  GenerateRequest urgent = Request(TinyText(5, 3), 2);
  urgent.priority = 1;
  const auto high = scheduler.Submit(std::move(urgent));
  Reply low_reply;
  Reply high_reply;
  while (!high_reply.done) {
    scheduler.Step();
    Take(*high, &high_reply);
  }
  Take(*low, &low_reply);
  EXPECT_FALSE(low_reply.done);
  time_ += 25;  // by now it has waited for two of priority
  GenerateRequest next = Request(TinyText(5, 4), 2);
  next.priority = 1;
  const auto later = scheduler.Submit(std::move(next));
  while (!low_reply.done) {
    ASSERT_TRUE(scheduler.Step());
    Take(*low, &low_reply);
  }
  Reply later_reply;
  Take(*later, &later_reply);
  EXPECT_FALSE(later_reply.done);
}

TEST_F(SchedulerTest, TheQueueIsBounded) {
  options_.parallel = 1;
  options_.queue = 1;
  Scheduler& scheduler = Make();
  EXPECT_NE(scheduler.Submit(Request(TinyText(5, 1))), nullptr);
  EXPECT_NE(scheduler.Submit(Request(TinyText(5, 1))), nullptr);
  EXPECT_EQ(scheduler.Submit(Request(TinyText(5, 1))), nullptr);
  EXPECT_EQ(metrics_.refused, 1);
  RunAll();
  EXPECT_NE(scheduler.Submit(Request(TinyText(5, 1))), nullptr);
}

TEST_F(SchedulerTest, WhoLeavesIsGivenUp) {
  options_.parallel = 1;
  Scheduler& scheduler = Make();
  const auto reading = scheduler.Submit(Request(TinyText(600, 1)));
  const auto waiting = scheduler.Submit(Request(TinyText(5, 1)));
  scheduler.Step();
  waiting->Cancel();
  reading->Cancel();
  EXPECT_FALSE(scheduler.Step());
  EXPECT_EQ(metrics_.cancelled, 2);
}

TEST_F(SchedulerTest, WhoComesWhileABlockIsReadIsNext) {
  options_.step_seconds = 0;
  Scheduler& scheduler = Make();
  const auto slow = scheduler.Submit(Request(TinyText(600, 1)));
  for (int i = 0; i < 3; ++i) time_ += 1, scheduler.Step();
  const auto quick = scheduler.Submit(Request(TinyText(5, 2), 1));
  time_ += 1;  // the block that is being read
  scheduler.Step();
  Reply reply;
  Take(*quick, &reply);
  EXPECT_FALSE(reply.progress.empty());
}

TEST_F(SchedulerTest, WhatWasReadForAnAnswerThatWasGivenUpIsKept) {
  options_.cache_bytes = int64_t{1} << 30;
  Scheduler& scheduler = Make();
  const auto left = scheduler.Submit(Request(TinyText(300, 1), 100));
  Reply reply;
  while (reply.texts[0].empty()) {
    time_ += 1;
    scheduler.Step();
    Take(*left, &reply);
  }
  left->Cancel();
  RunAll();
  const auto again = scheduler.Submit(Request(TinyText(300, 1), 2));
  RunAll();
  Take(*again, &reply);
  EXPECT_GE(reply.end.cached_tokens, 290);
}

TEST_F(SchedulerTest, ABadRequestFailsAlone) {
  Scheduler& scheduler = Make();
  GenerateRequest bad = Request(TinyText(5, 1));
  bad.sampling.temperature = -1;
  const auto ticket = scheduler.Submit(std::move(bad));
  const auto unknown = scheduler.Submit(Request({100000}));
  const auto empty = scheduler.Submit(Request({}));
  const auto good = scheduler.Submit(Request(TinyText(5, 1)));
  RunAll();
  const std::vector<std::pair<std::shared_ptr<Ticket>, std::string>> bads = {
      {ticket, "temperature"}, {unknown, "100000"}, {empty, "empty"}};
  for (const auto& [failed, word] : bads) {
    Reply reply;
    Take(*failed, &reply);
    EXPECT_NE(reply.error.find(word), std::string::npos) << reply.error;
  }
  Reply reply;
  Take(*good, &reply);
  EXPECT_EQ(reply.error, "");
  EXPECT_EQ(reply.end.answer_tokens, 8);
}

TEST_F(SchedulerTest, SeveralAnswersShareThePrompt) {
  Scheduler& scheduler = Make();
  GenerateRequest request = Request(TinyText(150, 1), 10);
  request.sampling.temperature = 1.5F;
  request.sampling.seed = 7;
  request.choices = 3;
  const auto ticket = scheduler.Submit(std::move(request));
  RunAll();
  Reply reply;
  Take(*ticket, &reply);
  ASSERT_EQ(reply.texts.size(), 3U);
  EXPECT_EQ(metrics_.prompt_tokens, 149);
  EXPECT_EQ(reply.end.answer_tokens, 30);
  for (int choice = 0; choice < 3; ++choice) {
    GenerateRequest single = Request(TinyText(150, 1), 10);
    single.sampling.temperature = 1.5F;
    single.sampling.seed = static_cast<uint32_t>(7 + choice);
    EXPECT_EQ(Alone(std::move(single)).texts[0], reply.texts[choice]) << choice;
  }
}

TEST_F(SchedulerTest, LogprobsAreThoseOfTheModel) {
  GenerateRequest request = Request(TinyText(30, 1), 5);
  request.logprobs = true;
  request.top_logprobs = 3;
  const Reply reply = Alone(std::move(request));
  ASSERT_EQ(reply.logprobs.size(), 5U);
  for (const TokenLogprob& token : reply.logprobs) {
    ASSERT_EQ(token.top.size(), 3U);
    EXPECT_EQ(token.chosen.token, token.top[0].token);  // greedy
    EXPECT_LE(token.chosen.logprob, 0);
    EXPECT_GE(token.top[0].logprob, token.top[1].logprob);
  }
}

TEST_F(SchedulerTest, ASecondQuestionDoesNotReadTheTextAgain) {
  options_.cache_bytes = int64_t{1} << 30;
  for (const std::string method : {"ltri", "dense"}) {
    method_ = method;
    Scheduler& scheduler = Make();
    std::vector<TokenId> text = TinyText(700, 1);
    const auto ask = [&](uint32_t seed) {
      std::vector<TokenId> prompt = text;
      const std::vector<TokenId> question = TinyText(20, seed);
      prompt.insert(prompt.end(), question.begin(), question.end());
      const auto ticket = scheduler.Submit(Request(prompt, 4));
      RunAll();
      Reply reply;
      Take(*ticket, &reply);
      return reply;
    };
    EXPECT_EQ(ask(10).end.cached_tokens, 0);
    const Reply second = ask(11);
    EXPECT_GE(second.end.cached_tokens, 690) << method;
    EXPECT_EQ(second.end.prompt_tokens, 720);
    if (method == "dense") {
      std::vector<TokenId> prompt = text;
      const std::vector<TokenId> question = TinyText(20, 11);
      prompt.insert(prompt.end(), question.begin(), question.end());
      EXPECT_EQ(second.texts, Alone(Request(prompt, 4)).texts);
    }
    text = TinyText(700, 5);  // another text
    EXPECT_EQ(ask(12).end.cached_tokens, 0);
  }
}

TEST_F(SchedulerTest, TheCacheKeepsItsBudget) {
  options_.cache_bytes = 1;
  Scheduler& scheduler = Make();
  const auto ticket = scheduler.Submit(Request(TinyText(100, 1)));
  RunAll();
  EXPECT_EQ(scheduler.cache().count(), 0);
  EXPECT_EQ(scheduler.cache().bytes(), 0);
}

TEST_F(SchedulerTest, DrainFinishesWhatIsThereAndTakesNoMore) {
  Scheduler& scheduler = Make();
  const auto ticket = scheduler.Submit(Request(TinyText(40, 1)));
  std::thread thread([&] { scheduler.Run(); });
  scheduler.Drain();
  thread.join();
  Reply reply;
  Take(*ticket, &reply);
  EXPECT_EQ(reply.end.answer_tokens, 8);
  EXPECT_EQ(scheduler.Submit(Request(TinyText(5, 1))), nullptr);
}

TEST_F(SchedulerTest, StopTellsWhoIsUnserved) {
  Scheduler& scheduler = Make();
  const auto ticket = scheduler.Submit(Request(TinyText(40, 1)));
  scheduler.Stop();
  scheduler.Run();
  Reply reply;
  Take(*ticket, &reply);
  EXPECT_NE(reply.error.find("shutting down"), std::string::npos);
}

}  // namespace
}  // namespace ltri
