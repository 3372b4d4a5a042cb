// infllm, and ltri set like it, choose the blocks that a plain reading of InfLLM (arXiv 2402.04617) chooses.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "attention/method_driver.h"
#include "support/tiny_session.h"

namespace ltri {
namespace {

constexpr int64_t kBlock = 32;  // tokens of a memory block
constexpr int64_t kChosen = 2;  // blocks in the budget

// What InfLLM does, in plain loops over all tokens.
class PlainInfLlm {
 public:
  explicit PlainInfLlm(const SessionOptions& options) : options_(options) {}

  // Blocks that have left the window when a step begins.
  static int64_t Stored(const SessionOptions& options, int64_t begin) {
    return std::max<int64_t>(0, (begin - options.window - options.sinks) / kBlock);
  }

  // Scores of the stored blocks for the driver's last step.
  std::vector<double> Scores(const MethodDriver& driver, int64_t layer) const {
    const ModelConfig& config = driver.config();
    const int64_t d = config.head_dim;
    std::vector<double> scores(static_cast<size_t>(Stored(options_, driver.step().begin)), 0.0);
    for (int64_t head = 0; head < config.heads; ++head) {
      std::vector<float> mean(static_cast<size_t>(d), 0.0F);
      for (int64_t t = driver.step().begin; t < driver.step().end(); ++t) {
        for (int64_t j = 0; j < d; ++j) {
          mean[static_cast<size_t>(j)] +=
              driver.Token(layer, t).q[static_cast<size_t>(head * d + j)] / static_cast<float>(driver.step().count);
        }
      }
      const std::vector<double> query = Turned(mean.data(), config, options_.window);
      for (size_t b = 0; b < scores.size(); ++b) {
        const std::vector<double> key = Representative(driver, layer, head, static_cast<int64_t>(b));
        for (int64_t j = 0; j < d; ++j) scores[b] += query[static_cast<size_t>(j)] * key[static_cast<size_t>(j)];
      }
    }
    for (double& score : scores) score *= static_cast<double>(config.attention_scale);
    return scores;
  }

  // Adds what the last step's queries gave to each token.
  void Add(const MethodDriver& driver) {
    for (int64_t layer = 0; layer < 2; ++layer) {
      for (int64_t head = 0; head < driver.config().heads; ++head) {
        std::vector<double>& sums = received_[static_cast<size_t>(layer)][static_cast<size_t>(head)];
        sums.resize(static_cast<size_t>(driver.size()), 0.0);
        for (int64_t i = 0; i < driver.step().count; ++i) {
          const std::vector<double> p = driver.Probabilities(layer, i, head, Positions::kClamp);
          for (size_t t = 0; t < p.size(); ++t) sums[t] += p[t];
        }
      }
    }
  }

  // Attention that a block's tokens receive after it was stored does not count.
  void Freeze(int64_t blocks) {
    const auto end = static_cast<size_t>(blocks == 0 ? 0 : options_.sinks + blocks * kBlock);
    for (size_t layer = 0; layer < 2; ++layer) {
      for (size_t head = 0; head < 4; ++head) {
        std::vector<double>& frozen = frozen_[layer][head];
        for (size_t t = frozen.size(); t < end; ++t) frozen.push_back(received_[layer][head][t]);
      }
    }
  }

 private:
  // The mean of the 4 keys of a block that the head attended to most.
  std::vector<double> Representative(const MethodDriver& driver, int64_t layer, int64_t head, int64_t block) const {
    const int64_t d = driver.config().head_dim;
    const std::vector<double>& sums = frozen_[static_cast<size_t>(layer)][static_cast<size_t>(head)];
    std::vector<int64_t> tokens(static_cast<size_t>(kBlock));
    std::iota(tokens.begin(), tokens.end(), options_.sinks + block * kBlock);
    std::sort(tokens.begin(), tokens.end(),
              [&](int64_t a, int64_t b) { return sums[static_cast<size_t>(a)] > sums[static_cast<size_t>(b)]; });
    std::vector<double> mean(static_cast<size_t>(d), 0.0);
    for (size_t i = 0; i < 4; ++i) {
      for (int64_t j = 0; j < d; ++j) {
        mean[static_cast<size_t>(j)] +=
            static_cast<double>(driver.Token(layer, tokens[i]).k[static_cast<size_t>(head / 2 * d + j)]) / 4;
      }
    }
    return mean;
  }

  SessionOptions options_;
  std::vector<std::vector<std::vector<double>>> received_{2, std::vector<std::vector<double>>(4)};  // [layers][heads]
  std::vector<std::vector<std::vector<double>>> frozen_{2, std::vector<std::vector<double>>(4)};
};

// The blocks among the far keys that a layer sees.
std::set<int64_t> BlocksSeen(const MethodDriver& driver, int64_t layer, const SessionOptions& options) {
  std::set<int64_t> blocks;
  const std::vector<TokenRange> visible = driver.method().Visible(layer, 0);
  for (size_t r = 0; r + 1 < visible.size(); ++r) {
    for (int64_t t = std::max(options.sinks, visible[r].begin); t < visible[r].end; ++t) {
      blocks.insert((t - options.sinks) / kBlock);
    }
  }
  return blocks;
}

void ExpectSameChoices(const SessionOptions& options) {
  MethodDriver driver(options, 2.0F, 3);
  ASSERT_TRUE(driver.made());
  PlainInfLlm plain(options);
  int64_t compared = 0;
  while (driver.size() < 500) {
    const bool decode = driver.size() > 400;
    plain.Freeze(PlainInfLlm::Stored(options, driver.size()));
    driver.Step(decode ? 1 : options.block, decode ? StepKind::kDecode : StepKind::kPrompt);
    for (int64_t layer = 0; layer < 2; ++layer) {
      const std::vector<double> scores = plain.Scores(driver, layer);
      const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
      if (static_cast<int64_t>(scores.size()) <= kChosen) continue;
      const std::set<int64_t> seen = BlocksSeen(driver, layer, options);
      ASSERT_EQ(seen.size(), static_cast<size_t>(kChosen));
      // Index vectors have 8 bits: scores that nearly tie may swap.
      const double slack = 0.02 * (*high - *low);
      for (size_t b = 0; b < scores.size(); ++b) {
        if (seen.count(static_cast<int64_t>(b)) > 0) continue;
        for (const int64_t s : seen) EXPECT_GE(scores[static_cast<size_t>(s)] + slack, scores[b]) << driver.size();
      }
      ++compared;
    }
    plain.Add(driver);
  }
  EXPECT_GT(compared, 150);
}

SessionOptions InfLlmOptions() {
  SessionOptions options = testing::SmallOptions("infllm");
  options.max_span = kBlock;
  options.budget = kChosen * kBlock;
  return options;
}

TEST(InfLlmTest, ChoosesTheBlocksOfThePlainReading) { ExpectSameChoices(InfLlmOptions()); }

TEST(InfLlmTest, LtriSetLikeInfLlmChoosesTheSame) {
  SessionOptions options = InfLlmOptions();
  options.method = "ltri";
  options.positions = Positions::kClamp;
  options.second_reading = 0;
  options.spans = SpanSelector::kFixed;
  options.index = IndexVectors::kMean4;
  options.sharing = Sharing::kLayer;
  options.vote_weights = VoteWeights::kUniform;
  options.votes = Votes::kRaw;
  options.voting_queries = VotingQueries::kBlockMean;
  options.clamp_relevance = true;
  options.persistence = false;
  options.index_clusters = false;
  options.vote_reach = 0;
  options.reselect = 1;
  ExpectSameChoices(options);
}

}  // namespace
}  // namespace ltri
