#include <algorithm>
#include <cmath>
#include <numbers>

#include "ops/rope.h"

namespace ltri {
namespace {

// The dimension whose wave turns `turns` times within the original context (YaRN, arXiv 2309.00071, section 3.2).
double YarnDimension(const RopeConfig& config, double turns) {
  return static_cast<double>(config.dims) *
         std::log(static_cast<double>(config.original_context) / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(static_cast<double>(config.base)));
}

}  // namespace

RopeTable::RopeTable(const RopeConfig& config, bool use_long)
    : dims_(config.dims), magnitude_(config.magnitude), frequency_(static_cast<size_t>(config.dims / 2)) {
  const std::vector<float>& factors = use_long ? config.long_factors : config.factors;
  const bool yarn = config.yarn_ext_factor != 0.0F;
  double low = 0;
  double high = 0;
  if (yarn) {
    low = std::max(0.0, std::floor(YarnDimension(config, config.yarn_beta_fast)));
    high = std::min(static_cast<double>(dims_ - 1), std::ceil(YarnDimension(config, config.yarn_beta_slow)));
    magnitude_ *= 1.0F + 0.1F * std::log(1.0F / config.scale);
  }
  for (size_t i = 0; i < frequency_.size(); ++i) {
    double plain =
        std::pow(static_cast<double>(config.base), -2.0 * static_cast<double>(i) / static_cast<double>(dims_));
    if (!factors.empty()) plain /= factors[i];
    double frequency = plain * config.scale;
    if (yarn) {
      const double ramp = 1 - std::clamp((static_cast<double>(i) - low) / std::max(0.001, high - low), 0.0, 1.0);
      const double mix = ramp * config.yarn_ext_factor;
      frequency = frequency * (1 - mix) + plain * mix;
    }
    frequency_[i] = frequency;
  }
}

void RopeTable::Reserve(int64_t count) {
  while (static_cast<int64_t>(blocks_.size()) * kBlock < count) {
    const auto first = static_cast<int64_t>(blocks_.size()) * kBlock;
    auto block = std::make_unique<float[]>(static_cast<size_t>(kBlock * dims_));
    const int64_t half = dims_ / 2;
    for (int64_t p = 0; p < kBlock; ++p) {
      float* row = block.get() + p * dims_;
      for (int64_t i = 0; i < half; ++i) {
        const double angle = static_cast<double>(first + p) * frequency_[static_cast<size_t>(i)];
        row[i] = static_cast<float>(std::cos(angle)) * magnitude_;
        row[half + i] = static_cast<float>(std::sin(angle)) * magnitude_;
      }
    }
    blocks_.push_back(std::move(block));
  }
}

void ToHalves(float* rows, int64_t count, int64_t head_dim, int64_t dims) {
  thread_local std::vector<float> copy;  // kept: this runs for every token and layer
  copy.resize(std::max(copy.size(), static_cast<size_t>(dims)));
  const int64_t half = dims / 2;
  for (int64_t r = 0; r < count; ++r) {
    float* row = rows + r * head_dim;
    std::copy_n(row, dims, copy.data());
    for (int64_t i = 0; i < half; ++i) {
      row[i] = copy[static_cast<size_t>(2 * i)];
      row[half + i] = copy[static_cast<size_t>(2 * i + 1)];
    }
  }
}

}  // namespace ltri
