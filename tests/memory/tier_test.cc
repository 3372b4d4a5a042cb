// A tier keeps its budget, loses nothing, and passes errors of files on.
#include "memory/tier.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "memory/spill_file.h"
#include "support/memory_file.h"

namespace ltri {
namespace {

using testing::MemoryFile;

constexpr int64_t kBytes = 5000;  // two pages a block
constexpr int64_t kFrame = 8192;

BlockRef MakeBlock(Tier& tier, int value, BlockUse use = BlockUse::kKeys) {
  BlockRef block = tier.Make(kBytes, use);
  std::memset(block->data(), value, static_cast<size_t>(kBytes));
  tier.Seal(*block);
  return block;
}

void ExpectHolds(Tier& tier, const BlockRef& block, int value) {
  const Result<BlockHold> hold = tier.Hold(nullptr, {block.get()});
  ASSERT_TRUE(hold.ok()) << hold.error().message;
  for (int64_t i = 0; i < kBytes; ++i) ASSERT_EQ(static_cast<int>(block->data()[i]), value);
}

TEST(TierTest, WithoutABudgetNothingLeaves) {
  const auto tier = Tier::Create();
  std::vector<BlockRef> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(MakeBlock(*tier, i));
  ASSERT_TRUE(tier->Shrink().ok());
  EXPECT_FALSE(tier->needs_holds());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(static_cast<int>(*blocks[static_cast<size_t>(i)]->data()), i);
  EXPECT_EQ(tier->resident(), 100 * kFrame);
  blocks.clear();
  EXPECT_EQ(tier->resident(), 0);
}

TEST(TierTest, TheLongestUnusedLeaveAndComeBack) {
  const auto overflow = std::make_shared<MemoryFile>();
  const auto tier = Tier::Create(10 * kFrame, overflow);
  std::vector<BlockRef> blocks;
  for (int i = 0; i < 30; ++i) {
    blocks.push_back(MakeBlock(*tier, i));
    ASSERT_TRUE(tier->Shrink().ok());
    EXPECT_LE(tier->resident(), 10 * kFrame);
    ExpectHolds(*tier, blocks[0], 0);  // used all the time: stays
  }
  EXPECT_EQ(overflow->reads, 0);
  for (int i = 29; i >= 0; --i) ExpectHolds(*tier, blocks[static_cast<size_t>(i)], i);
  EXPECT_GT(overflow->reads, 10);
  EXPECT_LE(overflow->count(), 30);  // written once
}

TEST(TierTest, WhatSessionsKeepBesideBlocksCountsToo) {
  const auto tier = Tier::Create(10 * kFrame, std::make_shared<MemoryFile>());
  std::vector<BlockRef> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back(MakeBlock(*tier, i));
  const auto resident = [&] {
    EXPECT_TRUE(tier->Shrink().ok());
    return tier->resident() / kFrame;
  };
  BesideShare share(tier);
  EXPECT_EQ(resident(), 10);
  share.Set(3 * kFrame);
  EXPECT_EQ(resident(), 7);
  {
    BesideShare copy = share;  // a fork keeps as much again
    EXPECT_EQ(tier->block_budget(), 5 * kFrame) << "6 of 10, but blocks have half at least";
    copy.Set(kFrame);
    EXPECT_EQ(tier->block_budget(), 6 * kFrame);
  }
  EXPECT_EQ(tier->block_budget(), 7 * kFrame);
  share.Set(kFrame);
  EXPECT_EQ(tier->block_budget(), 9 * kFrame);
  for (int i = 0; i < 10; ++i) ExpectHolds(*tier, blocks[static_cast<size_t>(i)], i);
}

TEST(TierTest, IndexBlocksLeaveLast) {
  const auto tier = Tier::Create(10 * kFrame, std::make_shared<MemoryFile>());
  std::vector<BlockRef> index, keys;
  for (int i = 0; i < 5; ++i) index.push_back(MakeBlock(*tier, i, BlockUse::kIndex));
  for (int i = 0; i < 40; ++i) keys.push_back(MakeBlock(*tier, i));
  ASSERT_TRUE(tier->Shrink().ok());
  for (const BlockRef& block : index) EXPECT_NE(block->data(), nullptr);
  for (int i = 0; i < 12; ++i) index.push_back(MakeBlock(*tier, i, BlockUse::kIndex));
  ASSERT_TRUE(tier->Shrink().ok());
  EXPECT_LE(tier->resident(), 10 * kFrame);
}

TEST(TierTest, WhatIsHeldOrOpenStays) {
  const auto tier = Tier::Create(4 * kFrame, std::make_shared<MemoryFile>());
  std::vector<BlockRef> blocks;
  std::vector<Block*> held;
  for (int i = 0; i < 3; ++i) {
    blocks.push_back(MakeBlock(*tier, i));
    held.push_back(blocks.back().get());
  }
  const BlockRef open = tier->Make(kBytes, BlockUse::kKeys);
  {
    const Result<BlockHold> hold = tier->Hold(nullptr, held);
    ASSERT_TRUE(hold.ok());
    for (int i = 3; i < 20; ++i) blocks.push_back(MakeBlock(*tier, i));
    ASSERT_TRUE(tier->Shrink().ok());
    for (const Block* block : held) EXPECT_NE(block->data(), nullptr);
    EXPECT_NE(open->data(), nullptr);
  }
  // All at once do not fit.
  std::vector<Block*> all;
  for (const BlockRef& block : blocks) all.push_back(block.get());
  EXPECT_EQ(tier->Hold(nullptr, all).error().code, ErrorCode::kOutOfMemory);
  for (int i = 0; i < 20; ++i) ExpectHolds(*tier, blocks[static_cast<size_t>(i)], i);
}

TEST(TierTest, FilesThatFail) {
  const auto overflow = std::make_shared<MemoryFile>();
  const auto tier = Tier::Create(4 * kFrame, overflow);
  std::vector<BlockRef> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(MakeBlock(*tier, i));
  overflow->full = true;
  EXPECT_EQ(tier->Shrink().error().code, ErrorCode::kIo);
  overflow->full = false;
  ASSERT_TRUE(tier->Shrink().ok());
  overflow->broken = true;
  EXPECT_EQ(tier->Hold(nullptr, {blocks[0].get(), blocks[7].get()}).error().code, ErrorCode::kCorrupt);
  overflow->broken = false;
  for (int i = 0; i < 8; ++i) ExpectHolds(*tier, blocks[static_cast<size_t>(i)], i);
}

TEST(TierTest, SavesOnceToEachFile) {
  const auto overflow = std::make_shared<MemoryFile>();
  const auto file = std::make_shared<MemoryFile>();
  const auto tier = Tier::Create(2 * kFrame, overflow);
  std::vector<BlockRef> blocks;
  for (int i = 0; i < 6; ++i) {
    blocks.push_back(MakeBlock(*tier, i));
    ASSERT_TRUE(tier->Shrink().ok());
  }
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 6; ++i) {
      const Result<int64_t> offset = tier->Save(*blocks[static_cast<size_t>(i)], file);
      ASSERT_TRUE(offset.ok());
      ExpectHolds(*tier, tier->Find(file, *offset, kBytes, BlockUse::kKeys), i);
    }
    EXPECT_EQ(file->count(), 6);
  }
}

TEST(SpillFileTest, ReturnsWhatWasWritten) {
  const auto file = SpillFile::Create();
  ASSERT_TRUE(file.ok()) << file.error().message;
  std::vector<int64_t> offsets;
  for (int i = 0; i < 10; ++i) {
    const std::vector<std::byte> bytes(static_cast<size_t>(100 + 3000 * i), static_cast<std::byte>(i));
    offsets.push_back(*(*file)->Append(bytes));
  }
  for (int i = 9; i >= 0; --i) {
    std::vector<std::byte> bytes(static_cast<size_t>(100 + 3000 * i));
    ASSERT_TRUE((*file)->Read(offsets[static_cast<size_t>(i)], bytes).ok());
    for (const std::byte byte : bytes) ASSERT_EQ(byte, static_cast<std::byte>(i));
  }
  std::vector<std::byte> beyond(10);
  EXPECT_EQ((*file)->Read(1 << 30, beyond).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace ltri
