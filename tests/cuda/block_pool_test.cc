#include "cuda/block_pool.h"

#include <gtest/gtest.h>

#include "cuda/card.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kBlock = int64_t{1} << 20;

TEST_F(CardTest, BlocksComeFromTheHostWhenTheCardIsFull) {
  BlockPool pool(kBlock, 3 * kBlock);
  std::vector<std::shared_ptr<Half>> taken;
  while (std::shared_ptr<Half> block = pool.Take(0)) taken.push_back(std::move(block));
  ASSERT_EQ(taken.size(), 3U);
  const Half* const first = taken[0].get();
  taken.erase(taken.begin());
  EXPECT_EQ(pool.Take(0).get(), first);
  EXPECT_NE(pool.TakeOnHost(), nullptr);
}

TEST_F(CardTest, ReservedBlocksLeaveRoomOnTheCard) {
  BlockPool pool(kBlock, 0);
  constexpr int64_t kRoom = 300 * kBlock;
  constexpr int64_t kSlack = 64 * kBlock;  // what the driver takes
  const CardMemory before = MemoryOfCard();
  const int64_t spare = before.free - before.total / 32;
  if (spare < kRoom) GTEST_SKIP() << "skipped: the card is in use";
  pool.Reserve(400, spare - kRoom);
  EXPECT_GE(MemoryOfCard().free, before.free - kRoom - kSlack);
}

}  // namespace
}  // namespace ltri::cuda
