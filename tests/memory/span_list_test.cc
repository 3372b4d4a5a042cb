#include "memory/span_list.h"

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <vector>

#include "support/memory_file.h"

namespace ltri {
namespace {

using testing::MemoryFile;

// `count` spans of 10 tokens.
void Append(SpanList& list, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = list.all().empty() ? 4 : list.all().back().end;
    list.Append({begin, begin + 10, static_cast<float>(begin), 0.5F});
  }
}

class SpanListTest : public ::testing::Test {
 protected:
  std::vector<std::byte> Save(SpanList& list, int64_t stored) const {
    StateWriter state;
    EXPECT_TRUE(list.Save(file_, *tier_, stored, &state).ok());
    return state.Take();
  }

  const std::shared_ptr<Tier> tier_ = Tier::Create();
  const std::shared_ptr<MemoryFile> file_ = std::make_shared<MemoryFile>();
};

TEST_F(SpanListTest, WhatIsStoredIsWrittenOnce) {
  SpanList list;
  Append(list, 2500);
  const std::vector<std::byte> state = Save(list, 2100);
  EXPECT_EQ(file_->count(), 2);
  SpanList back;
  int64_t stored = 0;
  StateReader reader(state);
  ASSERT_TRUE(back.Restore(file_, *tier_, 4 + 25000, &reader, &stored).ok());
  EXPECT_EQ(stored, 2100);
  EXPECT_EQ(back.all(), list.all());
  for (SpanList* goes_on : {&list, &back}) {
    Append(*goes_on, 700);
    Save(*goes_on, 3100);
  }
  EXPECT_EQ(file_->count(), 4);  // each its third thousand
  list.Truncate(15000, 1100);
  EXPECT_EQ(list.all().back().end, 14994);
  Append(list, 1000);
  Save(list, 2100);
  EXPECT_EQ(file_->count(), 5);  // the first thousand is there
}

TEST_F(SpanListTest, DamageIsFound) {
  SpanList list;
  Append(list, 1500);
  const std::vector<std::byte> state = Save(list, 1100);
  int64_t stored = 0;
  StateReader short_text(state);
  EXPECT_FALSE(SpanList().Restore(file_, *tier_, 1000, &short_text, &stored).ok());
  const std::span<const std::byte> half = std::span(state).first(state.size() / 2);
  StateReader cut(half);
  EXPECT_FALSE(SpanList().Restore(file_, *tier_, 20000, &cut, &stored).ok());
  file_->broken = true;
  StateReader whole(state);
  EXPECT_FALSE(SpanList().Restore(file_, *tier_, 20000, &whole, &stored).ok());
}

}  // namespace
}  // namespace ltri
