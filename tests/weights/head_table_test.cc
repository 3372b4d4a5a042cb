#include "weights/head_table.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_folder.h"

namespace ltri {
namespace {

ModelInfo TwoByThree() {
  ModelInfo info;
  info.path = "models/some.gguf";
  info.architecture = "llama";
  info.layers = 2;
  info.heads = 3;
  info.weights_id = 0x1234;
  return info;
}

class HeadTableTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  // What loading the text fails with.
  std::string Message(const std::string& text) {
    Write(text);
    const Result<std::vector<float>> scores = LoadHeadTable(path_, info_);
    EXPECT_FALSE(scores.ok());
    if (scores.ok()) return "";
    EXPECT_EQ(scores.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(scores.error().message.find(path_), std::string::npos) << scores.error().message;
    return scores.error().message;
  }

  ModelInfo info_ = TwoByThree();
  const TemporaryFolder folder_;
  std::string path_ = folder_.path() + "/some.heads.json";
};

TEST_F(HeadTableTest, ComesBackAsItWasSaved) {
  const HeadTable table{{0.0F, 0.25F, 1.0F, 0.0F, 0.125F, 0.5F}, 9, 8};
  ASSERT_TRUE(SaveHeadTable(path_, info_, table).ok());
  const Result<std::vector<float>> scores = LoadHeadTable(path_, info_);
  ASSERT_TRUE(scores.ok()) << scores.error().message;
  EXPECT_EQ(*scores, table.scores);
}

TEST_F(HeadTableTest, MissingIsNotFound) {
  const Result<std::vector<float>> scores = LoadHeadTable(path_, info_);
  ASSERT_FALSE(scores.ok());
  EXPECT_EQ(scores.error().code, ErrorCode::kNotFound);
}

TEST_F(HeadTableTest, DamageIsNamed) {
  const auto holds = [](const std::string& message, const char* part) {
    return message.find(part) != std::string::npos;
  };
  EXPECT_TRUE(holds(Message("{"), "not a head table"));
  EXPECT_TRUE(holds(Message("[1]"), "not a head table"));
  EXPECT_TRUE(holds(Message(R"({"scores": [[0, 0, 0]]})"), "has 1 layers, the model 2"));
  EXPECT_TRUE(holds(Message(R"({"scores": [[0, 0, 0], [0, 0]]})"), "does not have 3 heads"));
  EXPECT_TRUE(holds(Message(R"({"scores": [[0, 0, 0], [0, 0, -1]]})"), "numbers >= 0"));
  EXPECT_TRUE(holds(Message(R"({"scores": [[0, 0, 0], [0, 0, "a"]]})"), "numbers >= 0"));
  EXPECT_TRUE(holds(Message(R"({"weights": "77", "scores": [[0, 0, 0], [0, 0, 1]]})"), "made for weights"));
}

TEST_F(HeadTableTest, IsFoundBesideTheModelOrAmongThoseShipped) {
  info_.path = folder_.path() + "/some.gguf";
  Result<std::vector<float>> found = FindHeadTable(info_);
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->empty());
  Write(R"({"scores": [[0, 0, 0], [0, 0, 1]]})");
  found = FindHeadTable(info_);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->back(), 1.0F);

  ModelInfo smollm2 = info_;
  smollm2.path = folder_.path() + "/other.gguf";
  smollm2.layers = 30;
  smollm2.heads = 9;
  smollm2.weights_id = 0xaf860f0ed75cab3e;
  found = FindHeadTable(smollm2);
  ASSERT_TRUE(found.ok()) << found.error().message;
  ASSERT_EQ(found->size(), 270U);
  EXPECT_GT((*found)[18 * 9 + 6], 0.8F);  // its strongest head
}

TEST_F(HeadTableTest, DamageBesideTheModelIsNotPassedOver) {
  info_.path = folder_.path() + "/some.gguf";
  Write("nothing");
  EXPECT_FALSE(FindHeadTable(info_).ok());
}

}  // namespace
}  // namespace ltri
