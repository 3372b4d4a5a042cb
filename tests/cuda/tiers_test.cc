// Keys and values that lie on the card, in the host's memory and in a file, against all of them on the card.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <numeric>

#include "cuda/card.h"
#include "cuda/disk_blocks.h"
#include "engine/session_impl.h"
#include "ops/cuda/tokens.h"
#include "support/memory_file.h"
#include "support/ops_reference.h"
#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"
#include "support/tiny_session.h"

namespace ltri::cuda {
namespace {

using ltri::testing::MemoryFile;
using ltri::testing::Operands;
using ltri::testing::TinyModelSpec;
using ltri::testing::TinyText;

constexpr HeadShape kShape{4, 2, 64, 3, 0.125F};
constexpr int64_t kRow = 2 * 2 * 64;  // halves of a token and layer

// A place is used anew when nobody has it, and any tokens of a layer can be read. No card is needed for that.
TEST(DiskBlocksTest, TokensOfALayerAreReadAtOnce) {
  const auto disk = DiskBlocks::Create(*SpillFile::Create(), kShape);
  ASSERT_EQ(disk->row_bytes(), kRow * 2);
  std::vector<Half> block(static_cast<size_t>(kShape.BlockHalves()));
  std::iota(block.begin(), block.end(), Half{0});
  auto first = disk->Write(std::as_bytes(std::span(block)));
  ASSERT_TRUE(first.ok());
  std::vector<Half> other(block.rbegin(), block.rend());
  const auto second = disk->Write(std::as_bytes(std::span(other)));
  ASSERT_TRUE(second.ok());
  std::vector<Half> rows(5 * kRow);
  disk->WillRead(**first, 2, 100, 5);
  ASSERT_TRUE(disk->Read(**first, 2, 100, std::as_writable_bytes(std::span(rows))).ok());
  EXPECT_TRUE(std::equal(rows.begin(), rows.end(), block.begin() + (2 * kBlockTokens + 100) * kRow));
  DiskBlocks::PlaceRef copy = *first;
  first = disk->Write(std::as_bytes(std::span(other)));  // the copy still has its place
  ASSERT_TRUE(disk->Read(*copy, 2, 100, std::as_writable_bytes(std::span(rows))).ok());
  EXPECT_TRUE(std::equal(rows.begin(), rows.end(), block.begin() + (2 * kBlockTokens + 100) * kRow));
  copy.reset();
  const auto again = disk->Write(std::as_bytes(std::span(block)));
  ASSERT_TRUE(again.ok());
  ASSERT_TRUE(disk->Read(**second, 0, 0, std::as_writable_bytes(std::span(rows))).ok());
  EXPECT_TRUE(std::equal(rows.begin(), rows.end(), other.begin()));
}

TEST_F(CardTest, TokensComeBackToTheirPlaces) {
  Operands operands(3);
  const std::vector<Half> block = operands.Halves(kShape.BlockHalves(), 1.0F);
  const Buffer from = ToCard(block);
  const PinnedBuffer packed(kShape.BlockHalves() * 2);
  PackBlock(stream_, kShape, from.as<Half>(), packed.as<Half>());
  ASSERT_TRUE(Finish(stream_).ok());
  for (const int64_t layer : {0, 2}) {
    for (const int64_t token : {0, 77, 255}) {
      for (int64_t i = 0; i < kRow; ++i) {
        const int64_t at = ((layer * 4 + i / 64) * kBlockTokens + token) * 64 + i % 64;
        ASSERT_EQ(packed.as<Half>()[(layer * kBlockTokens + token) * kRow + i], block[static_cast<size_t>(at)]);
      }
    }
  }
  // Back into the second of two blocks, a layer at a time and in another order.
  const Buffer to(kShape.BlockHalves() * 2);
  Fill(stream_, to.as<void>(), 0xFF, to.bytes());
  const Buffer table = ToCard(std::vector<Half*>{nullptr, to.as<Half>()});
  const PinnedBuffer rows(kBlockTokens * kRow * 2);
  const PinnedBuffer tokens(kBlockTokens * static_cast<int64_t>(sizeof(int32_t)));
  for (int64_t layer = 0; layer < kShape.layers; ++layer) {
    for (int32_t i = 0; i < kBlockTokens; ++i) {
      const int32_t token = (i * 7 + 3) % kBlockTokens;
      tokens.as<int32_t>()[i] = kBlockTokens + token;
      std::copy_n(packed.as<Half>() + (layer * kBlockTokens + token) * kRow, kRow, rows.as<Half>() + i * kRow);
    }
    PlaceTokens(stream_, kShape, table.as<Half*>(), layer, rows.as<Half>(), tokens.as<int32_t>(), kBlockTokens);
    ASSERT_TRUE(Finish(stream_).ok());
  }
  EXPECT_EQ(FromCard<Half>(to, kShape.BlockHalves()), block);
}

using Impl = std::unique_ptr<Session::Impl>;

class TiersTest : public CardTest {
 protected:
  static constexpr int64_t kBlockBytes = kShape.layers * kBlockTokens * kRow * 2;

  void SetUp() override {
    CardTest::SetUp();
    if (IsSkipped()) return;
    TinyModelSpec spec;
    spec.name = "tiers";
    spec.layers = kShape.layers;
    spec.width = 256;
    spec.head_dim = kShape.head_dim;
    spec.feed_forward = 512;
    path_ = ltri::testing::WriteTinyGguf(spec, folder_.path());
    roomy_ = Load(0);
    small_ = Load(5 * kBlockBytes);
  }

  std::shared_ptr<Model> Load(int64_t memory) const {
    ModelOptions options;
    options.device = "cuda";
    options.device_memory = memory;
    auto model = Model::Load(path_, options);
    EXPECT_TRUE(model.ok()) << model.error().message;
    return model.ok() ? *model : nullptr;
  }

  static SessionOptions Options(const char* method, int64_t blocks_on_host) {
    SessionOptions options = ltri::testing::SmallOptions(method);
    options.window = 448;
    options.block = 128;
    options.budget = 256;
    options.min_span = 8;
    options.max_span = 128;
    options.memory = blocks_on_host * kBlockBytes;
    return options;
  }

  static Impl Open(const std::shared_ptr<Model>& model, const SessionOptions& options) {
    auto session = Session::Impl::Open(model, options, nullptr);
    EXPECT_TRUE(session.ok()) << session.error().message;
    return session.ok() ? std::move(*session) : nullptr;
  }

  static Status Read(Session::Impl& session, const std::vector<TokenId>& text) {
    if (Status status = session.Append(text, {}); !status.ok()) return status;
    return session.FinishPrompt({});
  }

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

  TemporaryFolder folder_;
  std::string path_;
  std::shared_ptr<Model> roomy_, small_;
};

TEST_F(TiersTest, LogitsAreThoseOfACardThatHoldsAll) {
  for (const bool by_layer : {false, true}) {
    SessionOptions options = Options("ltri", 3);
    if (by_layer) options.sharing = Sharing::kLayer;
    const Impl tiered = Open(small_, options);
    options.memory = 0;
    const Impl whole = Open(roomy_, options);
    ASSERT_TRUE(tiered != nullptr && whole != nullptr);
    ASSERT_TRUE(Read(*whole, TinyText(6000, 3)).ok());
    const Status read = Read(*tiered, TinyText(6000, 3));
    ASSERT_TRUE(read.ok()) << read.error().message;
    const MemoryUse use = tiered->method().memory();
    EXPECT_GE(use.on_disk, 12 * kBlockBytes);
    EXPECT_LE(use.keys_and_values, 8 * kBlockBytes);
    EXPECT_EQ(use.on_disk + use.keys_and_values, whole->method().memory().keys_and_values);
    // Long enough for blocks to leave while layers keep what they chose.
    EXPECT_EQ(Decode(*tiered, TinyText(600, 4)), Decode(*whole, TinyText(600, 4)));
    EXPECT_GT(tiered->method().memory().on_disk, use.on_disk);
    for (int64_t layer = 0; layer < kShape.layers; ++layer) {
      EXPECT_EQ(tiered->method().Visible(layer, 0), whole->method().Visible(layer, 0));
    }
    // More of the text, cut back, and on.
    ASSERT_TRUE(Read(*whole, TinyText(700, 5)).ok());
    ASSERT_TRUE(Read(*tiered, TinyText(700, 5)).ok());
    EXPECT_EQ(Decode(*tiered, TinyText(3, 6)), Decode(*whole, TinyText(3, 6)));
    for (const int64_t tokens : {6900, 2100, 300}) {
      ASSERT_TRUE(whole->Truncate(tokens).ok());
      ASSERT_TRUE(tiered->Truncate(tokens).ok());
      ASSERT_TRUE(Read(*whole, TinyText(900, 7)).ok());
      const Status again = Read(*tiered, TinyText(900, 7));
      ASSERT_TRUE(again.ok()) << again.error().message;
      EXPECT_EQ(Decode(*tiered, TinyText(20, 8)), Decode(*whole, TinyText(20, 8))) << tokens;
    }
  }
}

TEST_F(TiersTest, CopiesGoOnByThemselves) {
  SessionOptions options = Options("ltri", 3);
  const Impl tiered = Open(small_, options);
  const Impl whole = Open(roomy_, options);
  ASSERT_TRUE(Read(*whole, TinyText(5000, 9)).ok());
  ASSERT_TRUE(Read(*tiered, TinyText(5000, 9)).ok());
  Decode(*tiered, TinyText(3, 10));
  Decode(*whole, TinyText(3, 10));
  auto fork = tiered->Fork();
  ASSERT_TRUE(fork.ok()) << fork.error().message;
  const std::vector<float> expected = Decode(*whole, TinyText(300, 11));
  EXPECT_EQ(Decode(**fork, TinyText(300, 11)), expected);
  EXPECT_EQ(Decode(*tiered, TinyText(300, 11)), expected);
  // What is in the file is saved too.
  const auto file = std::make_shared<MemoryFile>();
  auto state = (*fork)->Save(file);
  ASSERT_TRUE(state.ok()) << state.error().message;
  auto restored = Session::Impl::Restore(roomy_, {*state, file}, nullptr);
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  ASSERT_TRUE(Read(**restored, TinyText(300, 12)).ok());
  ASSERT_TRUE(Read(*whole, TinyText(300, 12)).ok());
  EXPECT_EQ(Decode(**restored, TinyText(9, 13)), Decode(*whole, TinyText(9, 13)));
}

TEST_F(TiersTest, SessionsDecodeTogether) {
  std::vector<std::vector<Impl>> all(2);  // whole, tiered
  for (uint32_t i = 0; i < 2; ++i) {
    all[0].push_back(Open(roomy_, Options("ltri", 0)));
    all[1].push_back(Open(small_, Options("ltri", 8)));  // only the first has blocks on the card
    for (const std::vector<Impl>& sessions : all) {
      const Status read = Read(*sessions.back(), TinyText(5000 + 500 * i, 14 + i));
      ASSERT_TRUE(read.ok()) << read.error().message;
    }
    EXPECT_GT(all[1].back()->method().memory().on_disk, 0);
  }
  for (int step = 0; step < 300; ++step) {
    for (const std::vector<Impl>& sessions : all) {
      std::vector<Slice> slices;
      for (const Impl& session : sessions) slices.push_back(session->DecodeSlice());
      const Status status = sessions[0]->engine().Step(slices);
      ASSERT_TRUE(status.ok()) << status.error().message;
      for (const Impl& session : sessions) {
        session->Decoded();
        session->Add(30 + step % 200);
      }
    }
    for (size_t i = 0; i < 2; ++i) ASSERT_EQ(all[1][i]->logits(), all[0][i]->logits()) << step << ", session " << i;
  }
}

// What has to be at hand and does not fit is said, with what can be done about it.
TEST_F(TiersTest, WhatSeesEverythingNeedsMemory) {
  const Impl dense = Open(small_, Options("dense", 3));
  const Status status = Read(*dense, TinyText(6000, 3));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kOutOfMemory);
  EXPECT_NE(status.error().message.find("--memory"), std::string::npos) << status.error().message;
  const Impl fits = Open(small_, Options("dense", 30));
  SessionOptions options = Options("dense", 0);
  const Impl whole = Open(roomy_, options);
  ASSERT_TRUE(Read(*whole, TinyText(6000, 3)).ok());
  ASSERT_TRUE(Read(*fits, TinyText(6000, 3)).ok());
  EXPECT_EQ(Decode(*fits, TinyText(3, 4)), Decode(*whole, TinyText(3, 4)));
  const Impl streaming = Open(small_, Options("streaming", 6));  // the others have the card
  const Status streamed = Read(*streaming, TinyText(6000, 3));
  EXPECT_TRUE(streamed.ok()) << streamed.error().message;
}

// A disk without room costs the step, not the text.
TEST_F(TiersTest, AFullDiskIsAnErrorAndNothingIsLost) {
  const Impl whole = Open(roomy_, Options("ltri", 0));
  const Impl tiered = Open(small_, Options("ltri", 3));
  ASSERT_TRUE(Read(*whole, TinyText(2500, 15)).ok());
  ASSERT_TRUE(Read(*tiered, TinyText(2500, 15)).ok());
  ASSERT_GT(tiered->method().memory().on_disk, 0);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit full = before;
  full.rlim_cur = kBlockBytes;  // less than there is already
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  const Status status = Read(*tiered, TinyText(1500, 16));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_NE(status.error().message.find("temporary file"), std::string::npos) << status.error().message;
  ASSERT_TRUE(tiered->FinishPrompt({}).ok());
  ASSERT_TRUE(Read(*whole, TinyText(1500, 16)).ok());
  EXPECT_EQ(Decode(*tiered, TinyText(20, 17)), Decode(*whole, TinyText(20, 17)));
}

}  // namespace
}  // namespace ltri::cuda
