#include "memory/kv_store.h"

#include <gtest/gtest.h>

#include <vector>

namespace ltri {
namespace {

constexpr int64_t kHeads = 2;
constexpr int64_t kDim = 8;
constexpr int64_t kRow = kHeads * kDim;
constexpr int64_t kChunkBytes = kRow * 2 * 128 * 2;  // keys and values of 128 tokens in 16 bits

// Small whole numbers, exact in 16 bits, different for each token, head and generation.
float KeyOf(int64_t token, int64_t head, int64_t generation = 0) {
  return static_cast<float>(token % 300 + 400 * head + 800 * generation);
}

void Write(KvStore& store, int64_t begin, int64_t count, int64_t generation = 0) {
  std::vector<float> k, v;
  for (int64_t t = begin; t < begin + count; ++t) {
    for (int64_t head = 0; head < kHeads; ++head) {
      k.insert(k.end(), kDim, KeyOf(t, head, generation));
      v.insert(v.end(), kDim, -KeyOf(t, head, generation));
    }
  }
  store.Write(begin, count, k.data(), v.data());
}

void ExpectRuns(const KvStore& store, int64_t begin, int64_t end, int64_t generation = 0) {
  for (int64_t head = 0; head < kHeads; ++head) {
    std::vector<KeyRun> runs;
    store.AppendRuns(head, begin, end, 1000, &runs);
    int64_t token = begin;
    for (const KeyRun& run : runs) {
      EXPECT_EQ(run.position, 1000 + token - begin);
      for (int64_t i = 0; i < run.count; ++i, ++token) {
        for (int64_t j = 0; j < kDim; ++j) {
          ASSERT_EQ(FloatFromHalf(run.keys[i * kDim + j]), KeyOf(token, head, generation)) << token;
          ASSERT_EQ(FloatFromHalf(run.values[i * kDim + j]), -KeyOf(token, head, generation)) << token;
        }
      }
    }
    EXPECT_EQ(token, end);
  }
}

TEST(KvStoreTest, RunsReturnWhatWasWrittenAcrossChunks) {
  KvStore store(kHeads, kDim, Tier::Create());
  Write(store, 0, 200);
  Write(store, 200, 400);
  EXPECT_EQ(store.size(), 600);
  ExpectRuns(store, 0, 600);
  ExpectRuns(store, 255, 257);
  ExpectRuns(store, 300, 300);
  std::vector<float> key(kDim);
  store.CopyKey(1, 511, key.data());
  EXPECT_EQ(key, std::vector<float>(kDim, KeyOf(511, 1)));
  EXPECT_EQ(store.bytes(), 5 * kChunkBytes);
}

TEST(KvStoreTest, WritingAgainReplaces) {
  KvStore store(kHeads, kDim, Tier::Create());
  Write(store, 0, 600);
  Write(store, 500, 60, 1);
  EXPECT_EQ(store.size(), 600);
  ExpectRuns(store, 0, 500);
  ExpectRuns(store, 500, 560, 1);
  ExpectRuns(store, 560, 600);
}

TEST(KvStoreTest, CopiesShareUntilOneWrites) {
  KvStore store(kHeads, kDim, Tier::Create());
  Write(store, 0, 600);
  KvStore copy = store;
  std::vector<KeyRun> mine, theirs;
  store.AppendRuns(0, 0, 600, 0, &mine);
  copy.AppendRuns(0, 0, 600, 0, &theirs);
  for (size_t i = 0; i < mine.size(); ++i) EXPECT_EQ(mine[i].keys, theirs[i].keys);

  Write(copy, 600, 100, 1);
  Write(copy, 550, 10, 1);
  Write(store, 600, 20);
  ExpectRuns(store, 0, 620);
  ExpectRuns(copy, 0, 550);
  ExpectRuns(copy, 550, 560, 1);
  ExpectRuns(copy, 600, 700, 1);
  theirs.clear();
  copy.AppendRuns(0, 0, 256, 0, &theirs);
  EXPECT_EQ(mine[0].keys, theirs[0].keys);  // untouched chunks are still shared
}

TEST(KvStoreTest, TruncateForgetsAndFrees) {
  KvStore store(kHeads, kDim, Tier::Create());
  Write(store, 0, 700);
  const KvStore copy = store;
  store.Truncate(256);
  EXPECT_EQ(store.size(), 256);
  EXPECT_EQ(store.bytes(), 2 * kChunkBytes);
  Write(store, 256, 300, 1);
  ExpectRuns(store, 0, 256);
  ExpectRuns(store, 256, 556, 1);
  ExpectRuns(copy, 0, 700);
  store.Truncate(1000);  // further than it is: nothing happens
  EXPECT_EQ(store.size(), 556);
  store.Truncate(0);
  EXPECT_EQ(store.bytes(), 0);
}

TEST(KvStoreTest, DropFreesWholeChunksBetween) {
  KvStore store(kHeads, kDim, Tier::Create());
  Write(store, 0, 1400);
  store.Drop(10, 700);
  EXPECT_EQ(store.bytes(), 7 * kChunkBytes);  // chunks 1 to 4 are gone; 0 holds the first 10 tokens, 5 the token 700
  EXPECT_TRUE(store.Has(0, 128));
  EXPECT_FALSE(store.Has(120, 140));
  EXPECT_TRUE(store.Has(640, 1400));
  EXPECT_FALSE(store.Has(640, 1401));
  ExpectRuns(store, 0, 10);
  ExpectRuns(store, 640, 1400);
  store.Drop(10, 1100);
  EXPECT_EQ(store.bytes(), 4 * kChunkBytes);
  ExpectRuns(store, 0, 128);
  ExpectRuns(store, 1024, 1400);
  Write(store, 1400, 300);
  ExpectRuns(store, 1024, 1700);
  EXPECT_EQ(store.size(), 1700);
}

// Values are copied as they are, so they say which token a copy was made of.
float ValueAt(const KvStore& store, int64_t token) {
  std::vector<KeyRun> runs;
  store.AppendRuns(0, token, token + 1, 0, &runs);
  return FloatFromHalf(runs[0].values[0]);
}

TEST(KvStoreTest, StretchRepeatsWhatIsBehindTheLastGap) {
  KvStore store(kHeads, kDim, Tier::Create());
  Write(store, 0, 900);
  store.Drop(10, 600);  // tokens 128 to 511
  ASSERT_TRUE(store.Stretch(3001, 2600).ok());
  EXPECT_EQ(store.size(), 3001);
  for (const int64_t token : {2560, 2600, 2999, 3000}) {
    const int64_t original = 512 + (token - 512) % (900 - 512);
    EXPECT_EQ(ValueAt(store, token), -KeyOf(original, 0)) << token;
    std::vector<float> key(kDim);
    store.CopyKey(1, token, key.data());
    EXPECT_NEAR(key[0], KeyOf(original, 1), 0.004F * KeyOf(original, 1)) << token;
  }
  EXPECT_EQ(store.bytes(), 9 * kChunkBytes);  // 0 and 4 to 7 as they were, with 20 to 23
  ExpectRuns(store, 512, 900);
}

TEST(KvStoreTest, StretchSharesCopiesAtGreatLength) {
  KvStore store(kHeads, kDim, Tier::Create());
  Write(store, 0, 100);
  ASSERT_TRUE(store.Stretch(KvStore::kCopied + 1000, 0).ok());
  Write(store, store.size(), 1, 1);
  EXPECT_EQ(ValueAt(store, KvStore::kCopied + 1000), -KeyOf(KvStore::kCopied + 1000, 0, 1));
  EXPECT_EQ(ValueAt(store, 1000), -KeyOf(0, 0));  // what was shared is not overwritten
}

}  // namespace
}  // namespace ltri
