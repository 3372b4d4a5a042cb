// Options that cannot be used are refused with their name and value.
#include "attention/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "attention/method_driver.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

using ::testing::HasSubstr;

struct BadOption {
  const char* name;   // of the test
  const char* words;  // that the message must contain: option and value
  std::function<void(SessionOptions&)> spoil;
  bool all_methods = false;
};

std::ostream& operator<<(std::ostream& out, const BadOption& bad) { return out << bad.name; }

std::vector<BadOption> BadOptions() {
  using O = SessionOptions;
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {
      {"sinks", "sinks is -1", [](O& o) { o.sinks = -1; }, true},
      {"window", "window is 0", [](O& o) { o.window = 0; }, true},
      {"budget", "budget is -5", [](O& o) { o.budget = -5; }, true},
      {"block", "block is 0", [](O& o) { o.block = 0; }, true},
      {"second_reading", "second_reading is -1", [](O& o) { o.second_reading = -1; }, true},
      {"index_vectors", "index_vectors is 0", [](O& o) { o.index_vectors = 0; }, true},
      {"share", "persistence_share is 1.5", [](O& o) { o.persistence_share = 1.5; }, true},
      {"share_nan", "persistence_share is nan", [nan](O& o) { o.persistence_share = nan; }, true},
      {"decode", "persistence_decode is -0.1", [](O& o) { o.persistence_decode = -0.1; }, true},
      {"prefill", "persistence_prefill is 2", [](O& o) { o.persistence_prefill = 2; }, true},
      {"table", "head_table's length is 3",
       [](O& o) {
         o.vote_weights = VoteWeights::kHeadTable;
         o.head_table = {1, 2, 3};
       },
       true},
      {"narrow_window", "window is 63", [](O& o) { o.window = 63; }},
      {"max_span", "max_span is 0", [](O& o) { o.max_span = 0; }},
      {"max_span_negative", "max_span is -7", [](O& o) { o.max_span = -7; }},
      {"max_span_huge", "window is 64", [](O& o) { o.max_span = kHuge; }},
      {"max_span_long", "max_span is 5000", [](O& o) { o.max_span = 5000, o.window = 10000; }},
      {"max_span_longest", "max_span is 70000",
       [](O& o) {
         o.spans = SpanSelector::kFixed;
         o.max_span = 70000;
         o.window = 140000;
       }},
      {"min_span", "min_span is 0", [](O& o) { o.min_span = 0; }},
      {"min_over_max", "min_span is 33", [](O& o) { o.min_span = 33; }},
      {"kappa", "kappa is -1", [](O& o) { o.kappa = -1; }},
      {"kappa_nan", "kappa is nan", [nan](O& o) { o.kappa = nan; }},
  };
}

class BadOptionTest : public ::testing::TestWithParam<BadOption> {};

TEST_P(BadOptionTest, IsNamedWithItsValue) {
  const ModelConfig config = DriverConfig();
  RopeTables ropes(config);
  for (const std::string& method : MethodNames()) {
    if (!GetParam().all_methods && method != "ltri") continue;
    SessionOptions options = testing::SmallOptions(method);
    GetParam().spoil(options);
    const auto made = MakeMethod({&config, &ropes, nullptr}, options);
    ASSERT_FALSE(made.ok()) << method;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(made.error().message, HasSubstr(GetParam().words));
  }
}

INSTANTIATE_TEST_SUITE_P(All, BadOptionTest, ::testing::ValuesIn(BadOptions()),
                         [](const auto& test) { return test.param.name; });

TEST(RegistryTest, UnknownMethodsAreAnsweredWithTheKnownOnes) {
  const ModelConfig config = DriverConfig();
  RopeTables ropes(config);
  SessionOptions options;
  options.method = "magic";
  const auto made = MakeMethod({&config, &ropes, nullptr}, options);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message, HasSubstr("'magic'"));
  for (const std::string& name : MethodNames()) EXPECT_THAT(made.error().message, HasSubstr(name));
}

TEST(RegistryTest, DefaultsSuitEveryMethod) {
  const ModelConfig config = DriverConfig();
  RopeTables ropes(config);
  for (const std::string& method : MethodNames()) {
    SessionOptions options;
    options.method = method;
    EXPECT_TRUE(MakeMethod({&config, &ropes, nullptr}, options).ok()) << method;
  }
}

TEST(RegistryTest, WindowOfTwiceTheLongestSpanIsEnough) {
  const ModelConfig config = DriverConfig();
  RopeTables ropes(config);
  EXPECT_TRUE(MakeMethod({&config, &ropes, nullptr}, testing::SmallOptions("ltri")).ok());
}

}  // namespace
}  // namespace ltri
