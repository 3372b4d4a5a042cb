// llama.cpp as a contender: a sequence that was made longer decodes, and one that was not is what it was.
#include "bench/llama_peer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bench/llama_state.h"
#include "support/llama_reference.h"
#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"
#include "support/tiny_session.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

using namespace ltri::testing;  // NOLINT(google-build-using-namespace)

constexpr int64_t kRead = 150;

class LlamaPeerTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<LlamaPeer> Load(StopCheck stop = {}) {
    auto peer = LlamaPeer::Load(path_, 1, CostOfSession(LoadModelFile(path_)->config), std::move(stop));
    EXPECT_TRUE(peer.ok());
    return peer.ok() ? std::move(*peer) : nullptr;
  }

  // The logits after four tokens, decoded behind `depth`.
  std::vector<float> Decode(LlamaPeer& peer, int64_t depth) {
    const Status status = peer.GoTo(std::span(text_).first(kRead), depth, 8);
    EXPECT_TRUE(status.ok()) << status.error().message;
    if (!status.ok()) return {};
    EXPECT_TRUE(peer.Decode(next_).ok());
    return peer.Logits();
  }

  const TemporaryFolder folder_;
  const std::string path_ = WriteTinyGguf(TinySpec(GetParam()), folder_.path());
  const std::vector<TokenId> text_ = TinyText(400, 3);
  const std::vector<TokenId> next_ = TinyText(4, 4);
};

TEST_P(LlamaPeerTest, AtTheDepthThatWasReadNothingDiffers) {
  const auto peer = Load();
  ASSERT_NE(peer, nullptr);
  // Read into a larger context as it is, since the text is longer than the depth; and through the saved state.
  ASSERT_TRUE(peer->GoTo(text_, kRead, 8).ok());
  ASSERT_TRUE(peer->Decode(next_).ok());
  const std::vector<float> read = peer->Logits();
  const std::vector<float> restored = Decode(*peer, kRead);
  EXPECT_EQ(read, restored);
  // Each time from the same depth.
  ASSERT_TRUE(peer->Decode(next_).ok());
  EXPECT_EQ(peer->Logits(), restored);
  // And what it computes is what llama.cpp computes.
  LlamaReference reference(path_);
  std::vector<int32_t> all(text_.begin(), text_.begin() + kRead);
  all.insert(all.end(), next_.begin(), next_.end());
  EXPECT_LT(MaxDifference(reference.AppendForLast(all), read), 0.05F);
}

TEST_P(LlamaPeerTest, DecodesBehindALongerText) {
  const auto peer = Load();
  ASSERT_NE(peer, nullptr);
  const std::vector<float> near = Decode(*peer, kRead);
  for (const int64_t depth : {int64_t{0}, int64_t{20}, kRead + 1, int64_t{1000}}) {
    const std::vector<float> far = Decode(*peer, depth);
    ASSERT_EQ(far.size(), near.size());
    for (const float value : far) ASSERT_TRUE(std::isfinite(value));
    EXPECT_GT(MaxDifference(far, near), 0.0F) << depth;
  }
  peer->Release();
  EXPECT_EQ(Decode(*peer, kRead), near);
}

TEST_P(LlamaPeerTest, StopsWhenAsked) {
  bool stop = false;
  const auto peer = Load([&stop] { return stop; });
  ASSERT_NE(peer, nullptr);
  EXPECT_TRUE(peer->Read(text_).ok());
  stop = true;
  const auto seconds = peer->Read(text_);
  ASSERT_FALSE(seconds.ok());
  EXPECT_EQ(seconds.error().code, ErrorCode::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(Models, LlamaPeerTest, ::testing::Values("llama", "gemma3"),
                         [](const auto& test) { return std::string(test.param); });

TEST(LlamaStateTest, OtherBytesAreRefused) {
  EXPECT_FALSE(StretchLlamaState({}, 10).ok());
  for (size_t size = 1; size < 200; ++size) {
    const std::vector<uint8_t> bytes(size, static_cast<uint8_t>(size % 7));
    const auto longer = StretchLlamaState(bytes, 10);
    if (size == 8) continue;  // magic and sequence alone: a state without caches
    ASSERT_FALSE(longer.ok()) << size;
    EXPECT_EQ(longer.error().code, ErrorCode::kUnsupported);
  }
}

TEST(LlamaPeerErrorTest, NoModel) {
  const auto peer = LlamaPeer::Load("/nowhere/model.gguf", 1, {}, {});
  ASSERT_FALSE(peer.ok());
  EXPECT_NE(peer.error().message.find("/nowhere/model.gguf"), std::string::npos);
}

}  // namespace
}  // namespace ltri
