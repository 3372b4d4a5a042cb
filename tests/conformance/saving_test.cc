// Every method can be saved and goes on as if nothing had happened; a small RAM changes no answer; texts can be joined.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "conformance/settings.h"
#include "engine/session_impl.h"
#include "support/memory_file.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

using Impl = Session::Impl;

constexpr int64_t kText = 2600;

class Saving : public ::testing::TestWithParam<Setting> {
 protected:
  SessionOptions options() const {
    SessionOptions options = GetParam().options;
    if (WantsHeadTable(options)) options.head_table = SmallHeadTable(model_->info());
    return options;
  }

  std::unique_ptr<Impl> Open(std::shared_ptr<Tier> tier = nullptr) const {
    return std::move(*Impl::Open(model_, options(), std::move(tier)));
  }

  Session Read(int64_t tokens) const {
    auto impl = Open();
    EXPECT_TRUE(impl->Append(Part(text_, 0, tokens), {}).ok());
    return Session(std::move(impl));
  }

  // What comes of some more text and some generated tokens.
  std::vector<float> GoOn(Session& session) const {
    const auto have = static_cast<int64_t>(session.tokens().size());
    EXPECT_TRUE(session.Append(Part(text_, have, std::min(kText, have + 300))).ok());
    std::vector<TokenId> tokens = GreedyTokens(session, 5);
    std::vector<float> logits = *session.NextLogits();
    logits.insert(logits.end(), tokens.begin(), tokens.end());
    return logits;
  }

  const std::shared_ptr<Model> model_ = TinyModel(GetParam().model);
  const std::vector<TokenId> text_ = TinyText(kText, 7);
  const std::shared_ptr<MemoryFile> file_ = std::make_shared<MemoryFile>();
};

TEST_P(Saving, RestoredGoesOnAlike) {
  for (const int64_t tokens : {3, 200, 1100}) {
    auto saved = Open();
    ASSERT_TRUE(saved->Append(Part(text_, 0, tokens), {}).ok());
    const auto state = saved->Save(file_);
    ASSERT_TRUE(state.ok()) << state.error().message;
    Session original(std::move(saved));
    for (const bool small : {false, true}) {
      const auto tier = small ? Tier::Create(600000, std::make_shared<MemoryFile>()) : nullptr;
      auto restored = Impl::Restore(model_, {*state, file_}, tier);
      ASSERT_TRUE(restored.ok()) << restored.error().message;
      Session again(std::move(*restored));
      EXPECT_EQ(again.tokens(), original.tokens());
      Session fork = *original.Fork();
      EXPECT_EQ(GoOn(fork), GoOn(again)) << tokens;
    }
  }
}

TEST_P(Saving, SavedBetweenGeneratedTokens) {
  auto impl = Open();
  Impl* saved = impl.get();
  Session original(std::move(impl));
  ASSERT_TRUE(original.Append(Part(text_, 0, 700)).ok());
  GreedyTokens(original, 7);
  const auto state = saved->Save(file_);
  ASSERT_TRUE(state.ok());
  Session restored(std::move(*Impl::Restore(model_, {*state, file_}, nullptr)));
  EXPECT_EQ(*restored.NextLogits(), *original.NextLogits());
  EXPECT_EQ(GreedyTokens(restored, 9), GreedyTokens(original, 9));
  ASSERT_EQ(restored.Truncate(650).ok(), original.Truncate(650).ok());
  EXPECT_EQ(*restored.NextLogits(), *original.NextLogits());
}

TEST_P(Saving, WhatIsSavedIsNotSavedAgain) {
  auto session = Open();
  ASSERT_TRUE(session->Append(Part(text_, 0, 1100), {}).ok());
  ASSERT_TRUE(session->Save(file_).ok());
  const int64_t blocks = file_->count();
  const auto state = session->Save(file_);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(file_->count(), blocks);
  ASSERT_TRUE(session->Append(Part(text_, 1100, kText), {}).ok());
  ASSERT_TRUE(session->Save(file_).ok());
  EXPECT_GE(file_->count(), blocks);
  // Elsewhere, everything is.
  const auto other = std::make_shared<MemoryFile>();
  ASSERT_TRUE((*Impl::Restore(model_, {*state, file_}, nullptr))->Save(other).ok());
  EXPECT_GE(other->count(), blocks);
}

TEST_P(Saving, LittleRamChangesNothing) {
  Session plenty = Read(2200);
  const auto overflow = std::make_shared<MemoryFile>();
  const auto tier = Tier::Create(600000, overflow);
  auto impl = Open(tier);
  ASSERT_TRUE(impl->Append(Part(text_, 0, 2200), {}).ok());
  Session little(std::move(impl));
  Session fork = *little.Fork();
  Session plenty_fork = *plenty.Fork();
  EXPECT_EQ(GoOn(little), GoOn(plenty));
  EXPECT_LE(tier->resident(), 600000 + 60000);
  if (GetParam().options.method != "streaming") {
    EXPECT_GT(overflow->count(), 0);
  }
  ASSERT_TRUE(fork.Truncate(2000).ok() && plenty_fork.Truncate(2000).ok());
  EXPECT_EQ(GoOn(fork), GoOn(plenty_fork));
}

TEST_P(Saving, ADamagedStateIsAnError) {
  auto saved = Open();
  ASSERT_TRUE(saved->Append(Part(text_, 0, 600), {}).ok());
  const std::vector<std::byte> state = *saved->Save(file_);
  std::mt19937 random(3);
  for (int i = 0; i < 90; ++i) {
    std::vector<std::byte> damaged = state;
    if (i % 3 == 0) damaged.resize(random() % damaged.size());
    // The beginning holds most numbers that say how much follows.
    const size_t reach = i % 2 == 0 ? damaged.size() : std::min<size_t>(damaged.size(), 3000);
    if (i % 3 != 0) damaged[random() % reach] ^= static_cast<std::byte>(1U << random() % 8);
    const auto restored = Impl::Restore(model_, {damaged, file_}, nullptr);
    if (!restored.ok()) {
      EXPECT_FALSE(restored.error().message.empty());
      continue;
    }
    Session session(*(*restored)->Fork());
    if (session.tokens().empty()) continue;
    static_cast<void>(session.NextLogits());  // may be wrong; a checksum tells
  }
}

TEST_P(Saving, FilesThatFailEndInAnError) {
  auto session = Open();
  ASSERT_TRUE(session->Append(Part(text_, 0, 1100), {}).ok());
  file_->full = true;
  EXPECT_EQ(session->Save(file_).error().code, ErrorCode::kIo);
  file_->full = false;
  const auto state = session->Save(file_);
  ASSERT_TRUE(state.ok());
  auto restored = Impl::Restore(model_, {*state, file_}, nullptr);
  ASSERT_TRUE(restored.ok());
  file_->broken = true;
  Session broken(std::move(*restored));
  EXPECT_FALSE(broken.Append(Part(text_, 1100, kText)).ok() && broken.NextLogits().ok());
  file_->broken = false;
  EXPECT_EQ(GoOn(broken).size(), model_->info().vocabulary + 5);
}

INSTANTIATE_TEST_SUITE_P(Methods, Saving, ::testing::ValuesIn(AllSettings()),
                         [](const auto& test) { return test.param.name; });

class Joining : public Saving {
 protected:
  // Texts of these lengths, saved as finished.
  std::vector<std::vector<std::byte>> SaveTexts(const std::vector<int64_t>& lengths) {
    std::vector<std::vector<std::byte>> states;
    for (size_t i = 0; i < lengths.size(); ++i) {
      auto session = Open();
      EXPECT_TRUE(session->Append(TinyText(lengths[i], static_cast<uint32_t>(20 + i)), {}).ok());
      auto state = session->Save(file_, /*finished=*/true);
      EXPECT_TRUE(state.ok());
      states.push_back(std::move(*state));
    }
    return states;
  }

  Result<std::unique_ptr<Impl>> Join(const std::vector<std::vector<std::byte>>& states,
                                     std::shared_ptr<Tier> tier = nullptr) {
    std::vector<Impl::Saved> saved;
    for (const std::vector<std::byte>& state : states) saved.push_back({state, file_});
    return Impl::Join(model_, saved, std::move(tier));
  }
};

TEST_P(Joining, SeesWhatItAsksForInAllTexts) {
  const std::vector<int64_t> lengths = {700, 2, 333, 1200};
  const auto states = SaveTexts(lengths);
  auto joined = Join(states);
  ASSERT_TRUE(joined.ok()) << joined.error().message;
  const std::vector<TokenRange> texts = (*joined)->texts();
  ASSERT_EQ(texts.size(), lengths.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(texts[i].count(), lengths[i]);
    const std::vector<TokenId>& tokens = (*joined)->tokens();
    EXPECT_EQ(Part(tokens, texts[i].begin, texts[i].end), TinyText(lengths[i], static_cast<uint32_t>(20 + i)));
  }
  Impl* impl = joined->get();
  Session session(std::move(*joined));
  ASSERT_TRUE(session.Append(TinyText(40, 99)).ok());
  EXPECT_EQ(GreedyTokens(session, 12).size(), 12U);
  for (int64_t layer = 0; layer < model_->info().layers; ++layer) {
    for (const TokenRange& range : session.Visible(layer, 0)) {
      const bool question = range.begin >= texts.back().end;
      const bool in_a_text = std::any_of(texts.begin(), texts.end(), [&](const TokenRange& text) {
        return range.begin >= text.begin && range.end <= text.end;
      });
      EXPECT_TRUE(question || in_a_text) << layer << ": " << range.begin << ", " << range.end;
    }
  }
  const std::vector<RecallShare> shares = impl->method().Recalled();
  ASSERT_FALSE(shares.empty());
  double total = 0;
  for (const RecallShare& share : shares) total += share.share;
  EXPECT_LE(total, 1.0001);
  EXPECT_GT(total, 0);
}

TEST_P(Joining, SavedAndInLittleRamAlike) {
  const auto states = SaveTexts({700, 800});
  auto joined = Join(states);
  ASSERT_TRUE(joined.ok());
  const auto state = (*joined)->Save(file_);
  ASSERT_TRUE(state.ok());
  auto restored = Impl::Restore(model_, {*state, file_}, nullptr);
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  auto little = Join(states, Tier::Create(600000, std::make_shared<MemoryFile>()));
  ASSERT_TRUE(little.ok());
  Session one(std::move(*joined)), two(std::move(*restored)), three(std::move(*little));
  for (Session* session : {&one, &two, &three}) ASSERT_TRUE(session->Append(TinyText(40, 99)).ok());
  const std::vector<TokenId> tokens = GreedyTokens(one, 8);
  EXPECT_EQ(GreedyTokens(two, 8), tokens);
  EXPECT_EQ(GreedyTokens(three, 8), tokens);
  EXPECT_EQ(*two.NextLogits(), *one.NextLogits());
  EXPECT_EQ(*three.NextLogits(), *one.NextLogits());
  EXPECT_FALSE(one.Truncate(100).ok());
}

std::vector<Setting> RecallSettings() {
  std::vector<Setting> settings = AllSettings();
  std::erase_if(settings, [](const Setting& setting) {
    return !setting.Recalls() || setting.options.positions == Positions::kTrue || setting.options.budget == 0;
  });
  return settings;
}

INSTANTIATE_TEST_SUITE_P(Methods, Joining, ::testing::ValuesIn(RecallSettings()),
                         [](const auto& test) { return test.param.name; });

TEST(JoiningTest, IsRefusedWhereItMakesNoSense) {
  const auto model = TinyModel("llama");
  const auto file = std::make_shared<MemoryFile>();
  const auto refused = [&](const SessionOptions& options, bool finished) {
    auto session = std::move(*Impl::Open(model, options, nullptr));
    EXPECT_TRUE(session->Append(TinyText(300, 1), {}).ok());
    const std::vector<std::byte> state = *session->Save(file, finished);
    const Impl::Saved saved[] = {{state, file}, {state, file}};
    return Impl::Join(model, saved, nullptr).error();
  };
  EXPECT_EQ(refused(SmallOptions("dense"), true).code, ErrorCode::kUnsupported);
  EXPECT_EQ(refused(SmallOptions("ltri"), false).code, ErrorCode::kInvalidArgument);
  SessionOptions at_true_places = SmallOptions("ltri");
  at_true_places.positions = Positions::kTrue;
  EXPECT_EQ(refused(at_true_places, true).code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace ltri
