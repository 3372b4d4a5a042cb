// Which keys a method's attention counts, how often, and at which distance.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "attention/method_driver.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

using testing::SmallOptions;
using Parameters = std::tuple<std::string, Sharing, Positions, int64_t>;  // method, sharing, positions, block

std::string Name(const ::testing::TestParamInfo<Parameters>& info) {
  const auto& [method, sharing, positions, block] = info.param;
  return method + "_sharing" + std::to_string(static_cast<int>(sharing)) + "_positions" +
         std::to_string(static_cast<int>(positions)) + "_block" + std::to_string(block);
}

class Coverage : public ::testing::TestWithParam<Parameters> {
 protected:
  SessionOptions options() const {
    const auto& [method, sharing, positions, block] = GetParam();
    SessionOptions options = SmallOptions(method);
    options.sharing = sharing;
    options.positions = positions;
    options.block = block;
    return options;
  }
  int64_t block() const { return std::get<3>(GetParam()); }

  // The mode that holds after `tokens` tokens.
  Positions Resolved(int64_t tokens) const {
    const Positions positions = options().positions;
    if (options().method == "streaming") return Positions::kCompact;
    if (positions != Positions::kAuto) return positions;
    if (options().method == "infllm") return Positions::kClamp;
    return tokens <= DriverConfig().trained_context ? Positions::kTrue : Positions::kCompact;
  }
};

TEST_P(Coverage, AttentionIsThatOfTheVisibleKeysAtTheirPositions) {
  MethodDriver driver(options(), 2.0F, 1);
  ASSERT_TRUE(driver.made());
  while (driver.size() < 230) {
    driver.Step(block(), StepKind::kPrompt);
    ASSERT_LT(driver.OutputError(Resolved(driver.size())), 1e-3) << "after " << driver.size();
  }
  driver.Step(block() / 2 + 1, StepKind::kPromptEnd);
  ASSERT_LT(driver.OutputError(Resolved(driver.size())), 1e-3);
  for (int i = 0; i < 20; ++i) {
    driver.Step(1, StepKind::kDecode);
    ASSERT_LT(driver.OutputError(Resolved(driver.size())), 1e-3) << "token " << i;
  }
  EXPECT_GT(driver.method().Visible(0, 0).size(), 1U);  // far keys were among them
}

// With queries of zero every visible key weighs the same: a key that is missing or counted twice moves the mean.
TEST_P(Coverage, WithRoomForAllEveryKeyCountsOnce) {
  SessionOptions roomy = options();
  roomy.budget = 4096;
  if (roomy.method == "streaming") roomy.window = 4096;
  MethodDriver driver(roomy, 0.0F, 2);
  ASSERT_TRUE(driver.made());
  const int64_t d = driver.config().head_dim;
  std::vector<std::vector<double>> sums(2, std::vector<double>(static_cast<size_t>(2 * d), 0.0));  // [layers][kv, d]
  while (driver.size() < 260) {
    driver.Step(driver.size() > 200 ? 1 : block(), driver.size() > 200 ? StepKind::kDecode : StepKind::kPrompt);
    for (int64_t layer = 0; layer < 2; ++layer) {
      std::vector<double>& sum = sums[static_cast<size_t>(layer)];
      for (int64_t i = 0; i < driver.step().count; ++i) {
        const int64_t query = driver.step().begin + i;
        for (size_t j = 0; j < sum.size(); ++j) sum[j] += static_cast<double>(driver.Token(layer, query).v[j]);
        for (int64_t head = 0; head < driver.config().heads; ++head) {
          for (int64_t j = 0; j < d; ++j) {
            const double mean = sum[static_cast<size_t>(head / 2 * d + j)] / static_cast<double>(query + 1);
            ASSERT_NEAR(static_cast<double>(driver.Out(layer, i, head)[j]), mean, 1e-5) << "query " << query;
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ltri, Coverage,
    ::testing::Combine(::testing::Values("ltri"),
                       ::testing::Values(Sharing::kGlobal, Sharing::kLayer, Sharing::kKvHead, Sharing::kHead),
                       ::testing::Values(Positions::kAuto, Positions::kTrue, Positions::kClamp, Positions::kCompact),
                       ::testing::Values(7, 32, 100)),
    Name);
INSTANTIATE_TEST_SUITE_P(Others, Coverage,
                         ::testing::Combine(::testing::Values("infllm", "streaming"),
                                            ::testing::Values(Sharing::kGlobal), ::testing::Values(Positions::kAuto),
                                            ::testing::Values(7, 32, 100)),
                         Name);

}  // namespace
}  // namespace ltri
