// What each method keeps as a text grows.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "memory/kv_store.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

// memory() after each 1,024 tokens, eight times.
std::vector<MemoryUse> Growth(const std::string& method) {
  SessionOptions options = SmallOptions(method);
  options.block = 256;
  options.positions = Positions::kCompact;
  Session session = MakeSession(TinyModel("llama"), options);
  std::vector<MemoryUse> growth;
  for (uint32_t i = 0; i < 8; ++i) {
    LogitsAfter(session, TinyText(1024, i));
    growth.push_back(session.memory());
  }
  return growth;
}

TEST(MemoryTest, StreamingDoesNotGrow) {
  const std::vector<MemoryUse> growth = Growth("streaming");
  for (const MemoryUse& use : growth) {
    EXPECT_LE(use.keys_and_values, growth[0].keys_and_values);
    EXPECT_EQ(use.index, 0);
  }
}

TEST(MemoryTest, TheOthersGrowWithTheText) {
  for (const char* method : {"ltri", "infllm", "dense"}) {
    const std::vector<MemoryUse> growth = Growth(method);
    // llama: 3 layers, 2 KV heads of 16 dimensions, keys and values in 16 bits.
    constexpr int64_t kTokenBytes = 3 * 2 * 16 * 2 * 2;
    for (size_t i = 0; i < growth.size(); ++i) {
      const auto tokens = static_cast<int64_t>(1024 * (i + 1));
      EXPECT_GE(growth[i].keys_and_values, tokens * kTokenBytes) << method;
      // What decoded tokens see may be there twice.
      EXPECT_LT(growth[i].keys_and_values, (tokens + KvStore::kChunk + 2 * 64) * kTokenBytes) << method;
      // Vectors that double their room hold at most twice what they need.
      EXPECT_LT(growth[i].index, 2 * (tokens * kTokenBytes)) << method;
    }
    EXPECT_EQ(growth.back().index > 4 * growth.front().index, std::string(method) != "dense") << method;
    EXPECT_LT(growth.back().index, 20 * growth.front().index + 1) << method;
  }
}

TEST(MemoryTest, SlidingLayersKeepTheirWindowAndSomeSlack) {
  SessionOptions options = SmallOptions("dense");
  options.block = 512;
  Session session = MakeSession(TinyModel("gemma3"), options);
  LogitsAfter(session, TinyText(6000, 1));
  // gemma3: 7 layers, one of them global, 1 KV head of 32 dimensions.
  constexpr int64_t kTokenBytes = 32 * 2 * 2;
  const int64_t use = session.memory().keys_and_values;
  EXPECT_GE(use, (6000 + 6 * 4096) * kTokenBytes);
  EXPECT_LE(use, (6000 + 256 + 6 * (4096 + 64 + 512)) * kTokenBytes);
  // Going back further than that reads the text again.
  ASSERT_TRUE(session.Truncate(300).ok());
  Session fresh = MakeSession(TinyModel("gemma3"), options);
  ASSERT_TRUE(fresh.Append(Part(TinyText(6000, 1), 0, 300)).ok());
  EXPECT_EQ(*session.NextLogits(), *fresh.NextLogits());
}

}  // namespace
}  // namespace ltri
