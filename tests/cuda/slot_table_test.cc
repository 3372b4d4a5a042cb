#include "cuda/slot_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace ltri::cuda {
namespace {

using Fill = SlotTable::Fill;

TEST(SlotTableTest, KeepsWhatIsWantedAgain) {
  SlotTable table(4);
  std::vector<int32_t> places;
  std::vector<Fill> fills;
  const auto far = [](int32_t token) { return token >= 10; };
  table.Assign(std::vector<int32_t>{1, 10, 11, 12}, far, &places, &fills);
  EXPECT_EQ(places, (std::vector<int32_t>{1, kMostTokens, kMostTokens + 1, kMostTokens + 2}));
  EXPECT_EQ(fills, (std::vector<Fill>{{10, 0}, {11, 1}, {12, 2}}));
  table.Assign(std::vector<int32_t>{11, 12, 20, 21}, far, &places, &fills);
  EXPECT_EQ(places, (std::vector<int32_t>{kMostTokens + 1, kMostTokens + 2, kMostTokens, kMostTokens + 3}));
  EXPECT_EQ(fills, (std::vector<Fill>{{20, 0}, {21, 3}}));
  EXPECT_EQ(table.tokens(), (std::vector<int32_t>{20, 11, 12, 21}));
  table.Forget();
  table.Assign(std::vector<int32_t>{11}, far, &places, &fills);
  EXPECT_EQ(fills.size(), 1U);
}

// Whatever is asked for, what a kernel reads is there.
TEST(SlotTableTest, PlacesHoldTheirTokens) {
  constexpr int32_t kSlots = 40;
  std::mt19937 random(5);
  SlotTable table(kSlots);
  std::vector<int32_t> contents(kSlots, -1);
  for (int round = 0; round < 500; ++round) {
    std::set<int32_t> wanted;
    const size_t count = random() % (kSlots + 1);
    while (wanted.size() < count) wanted.insert(static_cast<int32_t>(random() % 200));
    const auto border = static_cast<int32_t>(random() % 200);  // tokens before it lie in the file
    const std::vector<int32_t> rows(wanted.begin(), wanted.end());
    std::vector<int32_t> places;
    std::vector<Fill> fills;
    table.Assign(
        rows, [&](int32_t token) { return token < border; }, &places, &fills);
    for (const Fill& fill : fills) contents[static_cast<size_t>(fill.slot)] = fill.token;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] >= border) {
        ASSERT_EQ(places[i], rows[i]);
      } else {
        ASSERT_EQ(contents[static_cast<size_t>(places[i] - kMostTokens)], rows[i]);
      }
    }
  }
}

}  // namespace
}  // namespace ltri::cuda
