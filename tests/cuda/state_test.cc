// Sessions on the card that are saved, restored and joined: on the card, and from there to the host and back.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "cuda/card.h"
#include "engine/session_impl.h"
#include "ltri/library.h"
#include "memory/spill_file.h"
#include "ops/cuda/types.h"
#include "serve/kept_sessions.h"
#include "support/memory_file.h"
#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"
#include "support/tiny_session.h"

namespace ltri::cuda {
namespace {

using ltri::testing::Cosine;
using ltri::testing::MemoryFile;
using ltri::testing::Part;
using ltri::testing::TinyModelSpec;
using ltri::testing::TinyText;

using Impl = std::unique_ptr<Session::Impl>;

class StateTest : public CardTest {
 protected:
  static constexpr int64_t kLayers = 3;
  static constexpr int64_t kBlockBytes = kLayers * 2 * 2 * kBlockTokens * 64 * 2;

  void SetUp() override {
    CardTest::SetUp();
    if (IsSkipped()) return;
    TinyModelSpec spec;
    spec.name = "kept";
    spec.layers = kLayers;
    spec.width = 256;
    spec.head_dim = 64;
    spec.feed_forward = 512;
    path_ = ltri::testing::WriteTinyGguf(spec, folder_.path());
    card_ = Load("cuda", 0);
  }

  std::shared_ptr<Model> Load(const char* device, int64_t memory) const {
    ModelOptions options;
    options.device = device;
    options.device_memory = memory;
    auto model = Model::Load(path_, options);
    EXPECT_TRUE(model.ok()) << model.error().message;
    return model.ok() ? *model : nullptr;
  }

  // So that some of 1,500 tokens are far, and the budget has no room for all of them.
  static SessionOptions Options(const char* method) {
    SessionOptions options = ltri::testing::SmallOptions(method);
    options.window = 448;
    options.block = 128;
    options.budget = 256;
    options.min_span = 8;
    options.max_span = 128;
    return options;
  }

  static Impl Read(const std::shared_ptr<Model>& model, const SessionOptions& options,
                   const std::vector<TokenId>& text) {
    auto session = Session::Impl::Open(model, options, nullptr);
    EXPECT_TRUE(session.ok()) << session.error().message;
    EXPECT_TRUE((*session)->Append(text, {}).ok());
    EXPECT_TRUE((*session)->FinishPrompt({}).ok());
    return std::move(*session);
  }

  // The logits behind each of `tokens`, which follow the prompt one by one.
  static std::vector<float> Decode(Session::Impl& session, const std::vector<TokenId>& tokens) {
    std::vector<float> all;
    for (const TokenId token : tokens) {
      Slice slice = session.DecodeSlice();
      const Status status = session.engine().Step({&slice, 1});
      EXPECT_TRUE(status.ok()) << status.error().message;
      if (!status.ok()) return all;
      session.Decoded();
      all.insert(all.end(), session.logits().begin(), session.logits().end());
      session.Add(token);
    }
    return all;
  }

  // What a session says to tokens, to more of the text, and to tokens again.
  static std::vector<float> GoOn(Session::Impl& session) {
    std::vector<float> all = Decode(session, TinyText(12, 40));
    EXPECT_TRUE(session.Append(TinyText(300, 41), {}).ok());
    EXPECT_TRUE(session.FinishPrompt({}).ok());
    for (const float logit : Decode(session, TinyText(5, 42))) all.push_back(logit);
    return all;
  }

  static std::vector<std::byte> Save(Session::Impl& session, const std::shared_ptr<BlockFile>& file,
                                     bool finished = false) {
    auto state = session.Save(file, finished);
    EXPECT_TRUE(state.ok()) << state.error().message;
    return state.ok() ? *state : std::vector<std::byte>();
  }

  static Impl Restore(const std::shared_ptr<Model>& model, const std::vector<std::byte>& state,
                      const std::shared_ptr<BlockFile>& file) {
    auto session = Session::Impl::Restore(model, {state, file}, nullptr);
    EXPECT_TRUE(session.ok()) << session.error().message;
    return session.ok() ? std::move(*session) : nullptr;
  }

  TemporaryFolder folder_;
  std::string path_;
  std::shared_ptr<Model> card_;
};

TEST_F(StateTest, GoesOnBitForBit) {
  for (const char* method : {"dense", "streaming", "ltri"}) {
    for (const int64_t tokens : {1500, 640, 90}) {
      const auto file = std::make_shared<MemoryFile>();
      const Impl session = Read(card_, Options(method), TinyText(tokens, 3));
      Decode(*session, TinyText(7, 4));  // layers are at different turns
      const std::vector<std::byte> state = Save(*session, file);
      const Impl restored = Restore(card_, state, file);
      ASSERT_NE(restored, nullptr);
      EXPECT_EQ(restored->tokens(), session->tokens());
      // What a file has is not written again.
      const int64_t blocks = file->count();
      EXPECT_EQ(Save(*restored, file), state) << method << " of " << tokens;
      EXPECT_EQ(file->count(), blocks);
      EXPECT_EQ(GoOn(*restored), GoOn(*session)) << method << " of " << tokens;
    }
  }
}

// Layers share their votes or not, and some heads vote only.
TEST_F(StateTest, VotesGoOnBitForBit) {
  std::vector<SessionOptions> choices(3, Options("ltri"));
  choices[0].sharing = Sharing::kLayer;
  choices[1].vote_weights = VoteWeights::kHeadTable;
  choices[1].head_table = {0, 0.4F, 0, 0, 0, 0, 0, 0, 0.2F, 0, 0, 0.9F};
  choices[2].spans = SpanSelector::kFixed;
  for (const SessionOptions& options : choices) {
    const auto file = std::make_shared<MemoryFile>();
    const Impl session = Read(card_, options, TinyText(1500, 5));
    const Impl early = Restore(card_, Save(*session, file), file);
    ASSERT_NE(early, nullptr);
    EXPECT_EQ(Decode(*early, TinyText(9, 4)), Decode(*session, TinyText(9, 4)));
    ASSERT_TRUE(session->Truncate(1100).ok());
    const Impl cut = Restore(card_, Save(*session, file), file);
    ASSERT_NE(cut, nullptr);
    ASSERT_TRUE(cut->FinishPrompt({}).ok() && session->FinishPrompt({}).ok());
    EXPECT_EQ(GoOn(*cut), GoOn(*session));
  }
}

// Keys and values, spans, index and votes are the same there; only sums are rounded elsewhere.
TEST_F(StateTest, GoesOnOnTheHostAndComesBack) {
  const std::shared_ptr<Model> host = Load("cpu", 0);
  for (const char* method : {"dense", "streaming", "ltri"}) {
    SessionOptions options = Options(method);
    options.budget = 4096;  // all is seen: a choice between two that are about as good would differ
    const auto file = std::make_shared<MemoryFile>();
    const Impl on_card = Read(card_, options, TinyText(1500, 6));
    const Impl on_host = Restore(host, Save(*on_card, file), file);
    ASSERT_NE(on_host, nullptr);
    for (int64_t layer = 0; layer < kLayers; ++layer) {
      EXPECT_EQ(on_host->method().Spans(layer), on_card->method().Spans(layer)) << method;
    }
    const Impl back = Restore(card_, Save(*on_host, file), file);
    ASSERT_NE(back, nullptr);
    const std::vector<float> expected = GoOn(*on_card);
    EXPECT_GT(Cosine(GoOn(*on_host), expected), 0.999) << method;
    EXPECT_EQ(GoOn(*back), expected) << method;
    const Impl read = Read(host, options, TinyText(1500, 6));
    const Impl brought = Restore(card_, Save(*read, file), file);
    ASSERT_NE(brought, nullptr);
    EXPECT_GT(Cosine(GoOn(*brought), GoOn(*read)), 0.999) << method;
  }
}

// A file has heads as the host has them: without dimensions that are 0, turned ones in halves of their part.
TEST_F(StateTest, OtherHeadsGoOnOnTheHostAndComeBack) {
  TinyModelSpec sizes;  // heads of 96 dimensions, of which 72 turn
  sizes.name = "sizes";
  sizes.architecture = "phi3";
  sizes.width = 256;
  sizes.head_dim = 96;
  sizes.rope_dims = 72;
  sizes.feed_forward = 512;
  TinyModelSpec parts = sizes;  // of 128, of which 64 turn
  parts.name = "parts";
  parts.architecture = "glm4";
  parts.head_dim = 128;
  parts.rope_dims = 64;
  TinyModelSpec windows;  // sliding windows beside full attention
  windows.name = "windows";
  windows.architecture = "gemma3";
  windows.layers = 7;
  windows.width = 256;
  windows.kv_heads = 1;
  windows.head_dim = 256;
  windows.feed_forward = 512;
  windows.sliding_window = 100;
  windows.tied = true;
  for (const TinyModelSpec& spec : {sizes, parts, windows}) {
    path_ = ltri::testing::WriteTinyGguf(spec, folder_.path());
    const std::shared_ptr<Model> card = Load("cuda", 0);
    const std::shared_ptr<Model> host = Load("cpu", 0);
    ASSERT_TRUE(card != nullptr && host != nullptr);
    for (const char* method : {"dense", "ltri"}) {
      SessionOptions options = Options(method);
      options.budget = 4096;
      const auto file = std::make_shared<MemoryFile>();
      const Impl on_card = Read(card, options, TinyText(1500, 6));
      const Impl on_host = Restore(host, Save(*on_card, file), file);
      ASSERT_NE(on_host, nullptr);
      const Impl back = Restore(card, Save(*on_host, file), file);
      ASSERT_NE(back, nullptr);
      const std::vector<float> expected = GoOn(*on_card);
      EXPECT_GT(Cosine(GoOn(*on_host), expected), 0.999) << spec.name << ", " << method;
      EXPECT_EQ(GoOn(*back), expected) << spec.name << ", " << method;
    }
  }
}

// The index of a file is in segments; those that are full are written once.
TEST_F(StateTest, WritesOnlyWhatIsNew) {
  const SessionOptions options = Options("ltri");
  const auto file = std::make_shared<MemoryFile>();
  const Impl session = Read(card_, options, TinyText(9000, 7));
  Save(*session, file);
  const int64_t first = file->count();
  EXPECT_GE(first, 9000 / 128 * kLayers);
  ASSERT_TRUE(session->Append(TinyText(256, 8), {}).ok());
  ASSERT_TRUE(session->FinishPrompt({}).ok());
  const Impl restored = Restore(card_, Save(*session, file), file);
  // The chunk in which the prompt ended, two more, and at most a segment and its summary a layer.
  EXPECT_LE(file->count() - first, (3 + 2) * kLayers);
  ASSERT_NE(restored, nullptr);
  EXPECT_EQ(GoOn(*restored), GoOn(*session));
}

TEST_F(StateTest, ComesBackToACardThatIsTooSmall) {
  const std::shared_ptr<Model> small = Load("cuda", 5 * kBlockBytes);
  const auto file = std::make_shared<MemoryFile>();
  const Impl session = Read(card_, Options("ltri"), TinyText(3000, 9));
  Decode(*session, TinyText(3, 4));
  const std::vector<std::byte> state = Save(*session, file);
  const Impl restored = Restore(small, state, file);
  ASSERT_NE(restored, nullptr);
  const auto other_file = std::make_shared<MemoryFile>();
  const Impl again = Restore(card_, Save(*restored, other_file), other_file);
  ASSERT_NE(again, nullptr);
  const std::vector<float> expected = GoOn(*session);
  EXPECT_EQ(GoOn(*restored), expected);
  EXPECT_EQ(GoOn(*again), expected);
}

TEST_F(StateTest, TextsAreJoinedAsOnTheHost) {
  const std::shared_ptr<Model> host = Load("cpu", 0);
  SessionOptions options = Options("ltri");
  options.budget = 4096;
  const std::vector<std::vector<TokenId>> texts = {TinyText(1111, 10), TinyText(600, 11), TinyText(70, 12)};
  std::vector<std::vector<float>> logits;
  for (const std::shared_ptr<Model>& model : {host, card_}) {
    const auto file = std::make_shared<MemoryFile>();
    std::vector<std::vector<std::byte>> states;
    for (const std::vector<TokenId>& text : texts) {
      auto session = Session::Impl::Open(model, options, nullptr);
      ASSERT_TRUE(session.ok());
      ASSERT_TRUE((*session)->Append(text, {}).ok());
      states.push_back(Save(**session, file, /*finished=*/true));
    }
    std::vector<Session::Impl::Saved> saved;
    for (const std::vector<std::byte>& state : states) saved.push_back({state, file});
    auto joined = Session::Impl::Join(model, saved, nullptr);
    ASSERT_TRUE(joined.ok()) << joined.error().message;
    ASSERT_EQ((*joined)->texts().size(), texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      const TokenRange place = (*joined)->texts()[i];
      EXPECT_EQ(Part((*joined)->tokens(), place.begin, place.end), texts[i]);
    }
    ASSERT_TRUE((*joined)->Append(TinyText(90, 13), {}).ok());
    ASSERT_TRUE((*joined)->FinishPrompt({}).ok());
    const Impl restored = Restore(model, Save(**joined, file), file);
    ASSERT_NE(restored, nullptr);
    logits.push_back(GoOn(**joined));
    EXPECT_EQ(GoOn(*restored), logits.back());
  }
  EXPECT_GT(Cosine(logits[1], logits[0]), 0.999);
}

TEST_F(StateTest, DamagedStatesAreErrors) {
  const auto file = std::make_shared<MemoryFile>();
  const Impl session = Read(card_, Options("ltri"), TinyText(1300, 14));
  const std::vector<std::byte> state = Save(*session, file);
  EXPECT_FALSE(Session::Impl::Restore(card_, {std::span(state).first(state.size() / 2), file}, nullptr).ok());
  std::mt19937 random(1);
  for (int i = 0; i < 60; ++i) {
    std::vector<std::byte> damaged = state;
    damaged[random() % damaged.size()] ^= std::byte{0x41};
    const auto restored = Session::Impl::Restore(card_, {damaged, file}, nullptr);
    if (restored.ok()) {
      EXPECT_EQ((*restored)->read(), session->read());
    }
  }
  file->broken = true;
  const auto restored = Session::Impl::Restore(card_, {state, file}, nullptr);
  ASSERT_FALSE(restored.ok());
  EXPECT_EQ(restored.error().code, ErrorCode::kCorrupt);
  file->broken = false;
  file->full = true;
  ASSERT_TRUE(session->Append(TinyText(400, 15), {}).ok());
  ASSERT_FALSE(session->Save(file).ok());
  file->full = false;
  const Impl whole = Restore(card_, Save(*session, file), file);
  ASSERT_NE(whole, nullptr);
  ASSERT_TRUE(whole->FinishPrompt({}).ok() && session->FinishPrompt({}).ok());
  EXPECT_EQ(GoOn(*whole), GoOn(*session));
}

TEST_F(StateTest, ServersKeepSessionsOfTheCard) {
  const std::string state = folder_.path() + "/state";
  const Impl one = Read(card_, Options("ltri"), TinyText(900, 16));
  const Impl two = Read(card_, Options("dense"), TinyText(500, 17));
  ASSERT_TRUE(KeepSessions(FileSystem::Posix(), state, {one.get(), two.get()}).ok());
  auto back = BringBackSessions(FileSystem::Posix(), state, card_, Tier::Create());
  ASSERT_TRUE(back.ok()) << back.error().message;
  ASSERT_EQ(back->size(), 2U);
  EXPECT_EQ(GoOn(*back->at(0)), GoOn(*one));
  EXPECT_EQ(GoOn(*back->at(1)), GoOn(*two));
}

TEST_F(StateTest, LibrariesAreReadAndAskedOnTheCard) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "Line " + std::to_string(i) + " of the novel, and what it tells.\n";
  for (const char* name : {"a", "b"}) {
    WriteFile(folder_.path() + "/" + name + ".txt", text + name);
  }
  const Library library(folder_.path() + "/library");
  IndexOptions index;
  index.session = Options("ltri");
  index.commit_every = 300;
  for (const std::string name : {"a", "b"}) {
    const auto document = library.Index(card_, name, {folder_.path() + "/" + name + ".txt"}, index);
    ASSERT_TRUE(document.ok()) << document.error().message;
    EXPECT_TRUE(document->finished);
    EXPECT_GT(document->commits, 4);
    EXPECT_FALSE(document->spans.empty());
  }
  AskOptions ask;
  ask.answer.max_tokens = 6;
  const std::shared_ptr<Model> host = Load("cpu", 0);
  for (const auto& model : {card_, host}) {
    for (const std::vector<std::string>& names : {std::vector<std::string>{"a"}, std::vector<std::string>{"a", "b"}}) {
      const auto answer = library.Ask(model, names, "Which line?", ask);
      ASSERT_TRUE(answer.ok()) << answer.error().message;
      ASSERT_FALSE(answer->citations.empty());
      EXPECT_LE(answer->citations.front().share, 1.0001);
      EXPECT_FALSE(answer->citations.front().text.empty());
    }
  }
  // As the session that read the text, and the question behind it.
  const auto question = library.QuestionTokens(*card_, "b", "Which line?");
  ASSERT_TRUE(question.ok());
  auto asked = library.OpenSession(card_, {"b"});
  ASSERT_TRUE(asked.ok()) << asked.error().message;
  Session read = ltri::testing::MakeSession(card_, index.session);
  const auto tokens = card_->Tokenize(text + "b\n\nWhich line?", true, false);
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(ltri::testing::LogitsAfter(*asked, *question), ltri::testing::LogitsAfter(read, *tokens));
  const auto freed = library.Compact(card_, "a");
  EXPECT_TRUE(freed.ok()) << freed.error().message;
  EXPECT_TRUE(library.Verify()->damage.empty());
}

}  // namespace
}  // namespace ltri::cuda
