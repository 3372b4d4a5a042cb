#include "memory/spill_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "memory/tier.h"

namespace ltri {
namespace {

using Bytes = std::vector<std::byte>;

TEST(SpillFileTest, ForgottenPlacesAreUsedAnew) {
  const std::shared_ptr<SpillFile> file = *SpillFile::Create();
  const int64_t first = *file->Append(Bytes(5000, std::byte{1}));
  const int64_t second = *file->Append(Bytes(5000, std::byte{2}));
  file->Forget(first, 5000);
  EXPECT_NE(*file->Append(Bytes(6000, std::byte{3})), first);
  EXPECT_EQ(*file->Append(Bytes(5000, std::byte{4})), first);
  Bytes read(5000);
  ASSERT_TRUE(file->Read(second, read).ok());
  EXPECT_EQ(read, Bytes(5000, std::byte{2}));
  ASSERT_TRUE(file->Read(first, read).ok());
  EXPECT_EQ(read, Bytes(5000, std::byte{4}));
}

TEST(SpillFileTest, PartsOfABlockAreRead) {
  const std::shared_ptr<SpillFile> file = *SpillFile::Create();
  Bytes block(9000);
  for (size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::byte>(i * 7);
  ASSERT_TRUE(file->Append(Bytes(100, std::byte{9})).ok());
  const int64_t offset = *file->Append(block);
  file->WillRead(offset + 4321, 700);
  Bytes part(700);
  ASSERT_TRUE(file->Read(offset + 4321, part).ok());
  EXPECT_TRUE(std::equal(part.begin(), part.end(), block.begin() + 4321));
}

TEST(SpillFileTest, TextsThatComeAndGoTakeNoMoreThanOne) {
  constexpr int64_t kBlock = 8192;
  const std::shared_ptr<SpillFile> file = *SpillFile::Create();
  const std::shared_ptr<Tier> tier = Tier::Create(2 * kBlock, file);
  int64_t of_one = 0;
  for (int text = 0; text < 10; ++text) {
    std::vector<BlockRef> blocks;
    for (int i = 0; i < 20; ++i) {
      blocks.push_back(tier->Make(kBlock, BlockUse::kKeys));
      tier->Seal(*blocks.back());
      ASSERT_TRUE(tier->Shrink().ok());
    }
    if (text == 0) of_one = file->bytes();
  }
  EXPECT_GT(of_one, 0);
  EXPECT_LE(file->bytes(), of_one + 2 * kBlock);
}

}  // namespace
}  // namespace ltri
