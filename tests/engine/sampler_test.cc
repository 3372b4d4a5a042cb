#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace ltri {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Sampler Make(const SamplingOptions& options, int64_t vocabulary) {
  auto sampler = Sampler::Create(options, vocabulary);
  EXPECT_TRUE(sampler.ok()) << (sampler.ok() ? "" : sampler.error().message);
  return *std::move(sampler);
}

std::vector<TokenId> Draw(Sampler* sampler, const std::vector<float>& logits, int count) {
  std::vector<TokenId> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(sampler->Sample(logits));
  return tokens;
}

SamplingOptions Warm(uint32_t seed) {
  SamplingOptions options;
  options.temperature = 1;
  options.top_k = 0;
  options.top_p = 1;
  options.min_p = 0;
  options.seed = seed;
  return options;
}

TEST(SamplerTest, GreedyTakesTheLargestAndTheLowestOfEquals) {
  Sampler sampler = Make({}, 5);
  EXPECT_EQ(sampler.Sample(std::array{0.F, 3.F, 1.F, 3.F, 2.F}), 1);
  EXPECT_EQ(sampler.Sample(std::array{-5.F, -5.F, -5.F, -5.F, -5.F}), 0);
}

TEST(SamplerTest, NeverChoosesNan) {
  for (const SamplingOptions& options : {SamplingOptions{}, Warm(3)}) {
    Sampler sampler = Make(options, 4);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(sampler.Sample(std::array{kNan, -kInfinity, 1.F, kNan}), 2);
    EXPECT_EQ(sampler.Sample(std::array{kNan, kNan, kNan, kNan}), 0);
    EXPECT_EQ(sampler.Sample(std::array{0.F, 1.F, kInfinity, 1.F}), 2);
  }
}

TEST(SamplerTest, SameSeedSameTokens) {
  const std::vector<float> logits = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
  for (const uint32_t seed : {0U, 7U, 0xFFFFFFFFU}) {
    Sampler a = Make(Warm(seed), 6);
    Sampler b = Make(Warm(seed), 6);
    EXPECT_EQ(Draw(&a, logits, 64), Draw(&b, logits, 64)) << seed;
  }
  Sampler a = Make(Warm(1), 6);
  Sampler b = Make(Warm(2), 6);
  EXPECT_NE(Draw(&a, logits, 64), Draw(&b, logits, 64));
}

TEST(SamplerTest, ACloneGoesOnAlike) {
  const std::vector<float> logits = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
  SamplingOptions options = Warm(5);
  options.repeat_penalty = 1.5F;
  Sampler sampler = Make(options, 6);
  Draw(&sampler, logits, 10);
  Sampler clone = sampler.Clone();
  EXPECT_EQ(Draw(&sampler, logits, 32), Draw(&clone, logits, 32));
}

TEST(SamplerTest, FrequenciesFollowTheDistribution) {
  const std::vector<float> logits = {std::log(0.7F), std::log(0.2F), std::log(0.1F)};
  Sampler sampler = Make(Warm(11), 3);
  std::array<int, 3> counts{};
  for (const TokenId token : Draw(&sampler, logits, 10000)) ++counts[static_cast<size_t>(token)];
  EXPECT_NEAR(counts[0], 7000, 200);
  EXPECT_NEAR(counts[1], 2000, 200);
  EXPECT_NEAR(counts[2], 1000, 200);
}

TEST(SamplerTest, TopKTopPAndMinPNarrowTheChoice) {
  const std::vector<float> logits = {4, 3, 2, 1, 0};
  const auto drawn = [&](SamplingOptions options) {
    Sampler sampler = Make(options, 5);
    const auto tokens = Draw(&sampler, logits, 500);
    return std::set<TokenId>(tokens.begin(), tokens.end());
  };
  SamplingOptions options = Warm(1);
  options.top_k = 2;
  EXPECT_EQ(drawn(options), (std::set<TokenId>{0, 1}));
  options = Warm(1);
  options.top_p = 0.5F;
  EXPECT_EQ(drawn(options), (std::set<TokenId>{0}));
  options = Warm(1);
  options.min_p = 0.2F;  // of the largest: e^-1 = 0.37 stays, e^-2 = 0.14 goes
  EXPECT_EQ(drawn(options), (std::set<TokenId>{0, 1}));
}

TEST(SamplerTest, PenaltyTurnsFromWhatWasSaid) {
  SamplingOptions options;
  options.repeat_penalty = 2;
  options.repeat_last_n = 1;
  Sampler sampler = Make(options, 3);
  const std::vector<float> logits = {3, 2, 1};
  EXPECT_EQ(Draw(&sampler, logits, 4), (std::vector<TokenId>{0, 1, 0, 1}));
  sampler.Accept(0);
  EXPECT_EQ(sampler.Sample(logits), 1);
  sampler.Accept(-1);
  sampler.Accept(99);  // not of the vocabulary: ignored
}

TEST(SamplerTest, OptionsOutOfRangeAreNamed) {
  const auto refused = [](auto change, const std::string& name) {
    SamplingOptions options;
    change(&options);
    const auto sampler = Sampler::Create(options, 10);
    ASSERT_FALSE(sampler.ok()) << name;
    EXPECT_EQ(sampler.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(sampler.error().message.find(name), std::string::npos) << sampler.error().message;
  };
  refused([](SamplingOptions* o) { o->temperature = -1; }, "temperature");
  refused([](SamplingOptions* o) { o->temperature = kNan; }, "temperature");
  refused([](SamplingOptions* o) { o->top_k = -2; }, "top-k");
  refused([](SamplingOptions* o) { o->top_p = 0; }, "top-p");
  refused([](SamplingOptions* o) { o->top_p = 1.5F; }, "top-p");
  refused([](SamplingOptions* o) { o->min_p = -0.1F; }, "min-p");
  refused([](SamplingOptions* o) { o->repeat_penalty = 0; }, "repeat penalty");
  refused([](SamplingOptions* o) { o->repeat_last_n = -1; }, "repeat window");
  EXPECT_FALSE(Sampler::Create({}, 0).ok());
}

}  // namespace
}  // namespace ltri
