#include "bench/quantised_model.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <iterator>

#include "bench/model_cost.h"
#include "support/scoped_environment.h"
#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"
#include "weights/model_file.h"

namespace ltri {
namespace {

class QuantisedModelTest : public ::testing::Test {
 protected:
  const TemporaryFolder folder_;
  const ScopedEnvironment cache_{"LTRI_CACHE_DIR", (folder_ / "cache")};
  const std::string path_ = testing::WriteTinyGguf(testing::TinySpec("llama"), folder_.path());
};

TEST_F(QuantisedModelTest, IsMadeOnceAndLoads) {
  const auto made = ModelOfType(path_, "q8_0", 1);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_TRUE(made->starts_with(folder_.path()));
  EXPECT_EQ(*WeightTypeOf(*made), "q8_0");
  const auto small = LoadModelFile(*made);
  ASSERT_TRUE(small.ok()) << small.error().message;
  EXPECT_LT(CostOfModel(*small).bytes_per_decoded, CostOfModel(*LoadModelFile(path_)).bytes_per_decoded / 2);
  const auto time = std::filesystem::last_write_time(*made);
  EXPECT_EQ(*ModelOfType(path_, "q8_0", 1), *made);
  EXPECT_EQ(std::filesystem::last_write_time(*made), time);
  // No draft is left, and a file of the type that is wanted is taken as it is.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(std::filesystem::path(*made).parent_path()), {}), 1);
  EXPECT_EQ(*ModelOfType(*made, "q8_0", 1), *made);
  EXPECT_EQ(*WeightTypeOf(*ModelOfType(*made, "f16", 1)), "f16");
}

TEST_F(QuantisedModelTest, AnotherFileUnderTheSameNameIsMadeAnew) {
  const auto made = ModelOfType(path_, "q8_0", 1);
  ASSERT_TRUE(made.ok());
  std::filesystem::last_write_time(path_, std::filesystem::last_write_time(path_) - std::chrono::hours(1));
  EXPECT_NE(*ModelOfType(path_, "q8_0", 1), *made);
}

TEST_F(QuantisedModelTest, Errors) {
  EXPECT_NE(ModelOfType(path_, "q9_9", 1).error().message.find("'q9_9' is none of"), std::string::npos);
  EXPECT_FALSE(ModelOfType(folder_ / "none.gguf", "q8_0", 1).ok());
  WriteFile(folder_ / "file", "");
  const ScopedEnvironment blocked("LTRI_CACHE_DIR", folder_ / "file");
  const auto made = ModelOfType(path_, "q8_0", 1);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kIo);
  EXPECT_NE(made.error().message.find("LTRI_CACHE_DIR"), std::string::npos);
}

TEST(ModelCostTest, CountsMatrices) {
  const TemporaryFolder folder;
  const testing::TinyModelSpec spec = testing::TinySpec("llama");
  const auto model = LoadModelFile(testing::WriteTinyGguf(spec, folder.path()));
  ASSERT_TRUE(model.ok());
  const int64_t kv = spec.kv_heads * spec.head_dim;
  const int64_t values = spec.layers * spec.width *
                         (2 * spec.heads * spec.head_dim + 2 * kv + 3 * spec.feed_forward);  // q, o; k, v; three of it
  const ModelCost cost = CostOfModel(*model);
  EXPECT_EQ(cost.flops_per_prompt, 2 * values);
  EXPECT_EQ(cost.bytes_per_decoded, 4 * (values + (spec.vocabulary + 1) * spec.width));
}

}  // namespace
}  // namespace ltri
