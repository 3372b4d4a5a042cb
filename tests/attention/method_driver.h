// Drives a method with made-up queries, keys and values, and says what its attention should have given.
#ifndef LTRI_TESTS_ATTENTION_METHOD_DRIVER_H_
#define LTRI_TESTS_ATTENTION_METHOD_DRIVER_H_

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "attention/registry.h"
#include "base/half.h"
#include "base/thread_pool.h"
#include "model/rope_tables.h"

namespace ltri {

inline ModelConfig DriverConfig() {
  ModelConfig config;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 16;
  config.trained_context = 100;  // `auto` positions change on the way
  config.attention_scale = 0.25F;
  config.rope.dims = 16;
  config.rope.pairs = RopePairs::kHalves;
  return config;
}

// Row of one head after rotation by `position`, dimension i with i + dims / 2; straight from the definition.
inline std::vector<double> Turned(const float* row, const ModelConfig& config, int64_t position) {
  const int64_t half = config.rope.dims / 2;
  std::vector<double> out(row, row + config.head_dim);
  for (int64_t i = 0; i < half; ++i) {
    const double base = static_cast<double>(config.rope.base);
    const double angle = static_cast<double>(position) *
                         std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(config.rope.dims));
    const double x = static_cast<double>(row[i]);
    const double y = static_cast<double>(row[i + half]);
    out[static_cast<size_t>(i)] = x * std::cos(angle) - y * std::sin(angle);
    out[static_cast<size_t>(i + half)] = x * std::sin(angle) + y * std::cos(angle);
  }
  return out;
}

class MethodDriver {
 public:
  // query_size: spread of the queries; 0 makes every key count alike.
  MethodDriver(const SessionOptions& options, float query_size, uint32_t seed)
      : options_(options),
        ropes_(config_),
        query_size_(query_size),
        random_{std::mt19937(seed), std::mt19937(seed + 1000)},
        pool_(2) {
    auto made = MakeMethod({&config_, &ropes_, nullptr}, options);
    if (made.ok()) method_ = std::move(*made);
    for (std::vector<Row>& layer : tokens_) layer.reserve(1024);
  }

  // Reads `count` more tokens.
  void Step(int64_t count, StepKind kind) {
    step_ = {size(), count, kind};
    EXPECT_TRUE(method_->BeginStep(pool_, step_).ok());
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      for (int64_t i = 0; i < count; ++i) tokens_[static_cast<size_t>(layer)].push_back(MakeRow(random_[layer]));
      std::vector<float> q, k, v;
      for (int64_t t = step_.begin; t < step_.end(); ++t) {
        const Row& row = Token(layer, t);
        q.insert(q.end(), row.q.begin(), row.q.end());
        k.insert(k.end(), row.k.begin(), row.k.end());
        v.insert(v.end(), row.v.begin(), row.v.end());
      }
      out_[static_cast<size_t>(layer)].resize(q.size());
      float* out = out_[static_cast<size_t>(layer)].data();
      EXPECT_TRUE(method_->Attend(pool_, layer, q.data(), k.data(), v.data(), out).ok());
    }
    EXPECT_TRUE(method_->EndStep(pool_).ok());
  }

  // One token's queries, keys and values; keys and values as 16 bits hold them.
  struct Row {
    std::vector<float> q, k, v;
  };

  const Row& Token(int64_t layer, int64_t token) const {
    return tokens_[static_cast<size_t>(layer)][static_cast<size_t>(token)];
  }
  int64_t size() const { return static_cast<int64_t>(tokens_.back().size()); }
  const ModelConfig& config() const { return config_; }
  const Method& method() const { return *method_; }
  const StepRange& step() const { return step_; }
  bool made() const { return method_ != nullptr; }

  // What query `i` of the last step got from `layer` through `head`. [head_dim]
  const float* Out(int64_t layer, int64_t i, int64_t head) const {
    return out_[static_cast<size_t>(layer)].data() + (i * config_.heads + head) * config_.head_dim;
  }

  // The probability of each token, given what the method says is visible: far keys are all ranges but the last.
  // [tokens]
  std::vector<double> Probabilities(int64_t layer, int64_t i, int64_t head, Positions positions) const {
    const std::vector<TokenRange> visible = method_->Visible(layer, head);
    const int64_t query = step_.begin + i;
    const int64_t d = config_.head_dim;
    const int64_t kv = head * config_.kv_heads / config_.heads * d;
    const float* q = Token(layer, query).q.data() + head * d;
    int64_t far = 0;
    for (size_t r = 0; r + 1 < visible.size(); ++r) far += visible[r].count();
    std::vector<double> p(static_cast<size_t>(size()), 0.0);
    double sum = 0;
    int64_t before = 0;
    for (size_t r = 0; r < visible.size(); ++r) {
      const bool local = r + 1 == visible.size();
      for (int64_t t = visible[r].begin; t < visible[r].end; ++t, ++before) {
        if (t > query) continue;
        int64_t distance = query - t;
        if (!local && positions == Positions::kClamp) distance = options_.window;
        if (!local && positions == Positions::kCompact) distance = far + query - visible.back().begin - before;
        const std::vector<double> turned = Turned(q, config_, distance);
        double dot = 0;
        for (int64_t j = 0; j < d; ++j) {
          dot += turned[static_cast<size_t>(j)] * static_cast<double>(Token(layer, t).k[static_cast<size_t>(kv + j)]);
        }
        p[static_cast<size_t>(t)] = std::exp(dot * static_cast<double>(config_.attention_scale));
        sum += p[static_cast<size_t>(t)];
      }
    }
    for (double& x : p) x /= sum;
    return p;
  }

  // The largest difference between what the last step gave and the sum of values by those probabilities.
  double OutputError(Positions positions) const {
    double worst = 0;
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      for (int64_t head = 0; head < config_.heads; ++head) {
        for (int64_t i = 0; i < step_.count; ++i) {
          const std::vector<double> p = Probabilities(layer, i, head, positions);
          const int64_t kv = head * config_.kv_heads / config_.heads * config_.head_dim;
          for (int64_t j = 0; j < config_.head_dim; ++j) {
            double sum = 0;
            for (int64_t t = 0; t < size(); ++t) {
              sum += p[static_cast<size_t>(t)] * static_cast<double>(Token(layer, t).v[static_cast<size_t>(kv + j)]);
            }
            worst = std::max(worst, std::fabs(sum - static_cast<double>(Out(layer, i, head)[j])));
          }
        }
      }
    }
    return worst;
  }

 private:
  static std::vector<float> RandomFloats(std::mt19937& random, int64_t count, float size) {
    std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = FloatFromHalf(HalfFromFloat(size * uniform(random)));
    return values;
  }

  Row MakeRow(std::mt19937& random) const {
    const int64_t kv = config_.kv_heads * config_.head_dim;
    return {RandomFloats(random, config_.heads * config_.head_dim, query_size_), RandomFloats(random, kv, 2.0F),
            RandomFloats(random, kv, 1.0F)};
  }

  ModelConfig config_ = DriverConfig();
  SessionOptions options_;
  RopeTables ropes_;
  float query_size_;
  std::mt19937 random_[2];  // one a layer: what comes does not depend on the size of the steps
  ThreadPool pool_;
  std::unique_ptr<Method> method_;
  StepRange step_;
  std::vector<std::vector<Row>> tokens_{2};  // [layers][tokens]
  std::vector<std::vector<float>> out_{2};   // [layers], of the last step
};

}  // namespace ltri

#endif  // LTRI_TESTS_ATTENTION_METHOD_DRIVER_H_
