// `ltri bench` with the default model: every section, beside llama.cpp, with very small numbers.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_program.h"
#include "support/temporary_folder.h"
#include "support/test_model.h"

namespace ltri {
namespace {

using testing::ProgramResult;
using testing::RunProgram;

TEST(BenchWithModelTest, EverySectionHasRows) {
  const std::string model = TestModel("smollm2");
  if (model.empty()) GTEST_SKIP() << kNoTestModel;
  const TemporaryFolder folder;
  const std::string text = folder / "text.txt";  // so short that llama.cpp has read it soon on a busy machine too
  WriteFile(text, ReadFile(LTRI_TEST_DATA "/moby-dick.txt").substr(0, 2500));
  const ProgramResult result =
      RunProgram({"bench", "-m", model, "--peer", "--quick", "--runs=1", "--prefill=64", "--decode=0,6000",
                  "--decode-tokens=2", "--methods=streaming,ltri", "--text", text, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(result.output);
  EXPECT_GT(json["limits"]["read_gb_per_second"].get<double>(), 0.1);
  EXPECT_GT(json["limits"]["fma_gflops"].get<double>(), 0.1);
  ASSERT_EQ(json["rows"].size(), 9U);
  for (const nlohmann::json& row : json["rows"]) {
    EXPECT_EQ(row["weight_type"], "q4_1");
    EXPECT_GT(row["tokens_per_second"].get<double>(), 0);
    EXPECT_EQ(row["ratio_to_peer"].is_null(), row["method"] == "llama.cpp");
  }
  // At 6,000 tokens ltri looks at sinks, window and budget of all layers, llama.cpp at everything.
  const nlohmann::json& ltri = json["rows"][7];
  EXPECT_GT(ltri["gb_per_second"].get<double>(), ltri["weight_gb_per_second"].get<double>());
}

}  // namespace
}  // namespace ltri
