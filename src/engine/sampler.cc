#include "engine/sampler.h"

#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "llama.h"

namespace ltri {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

struct ChainDeleter {
  void operator()(llama_sampler* chain) const { llama_sampler_free(chain); }
};
using ChainPtr = std::unique_ptr<llama_sampler, ChainDeleter>;

Error OutOfRange(const char* option, double value, const char* range) {
  return {ErrorCode::kInvalidArgument, fmt::format("{} is {}; it must be {}", option, value, range)};
}

std::optional<Error> Check(const SamplingOptions& options) {
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature)) {
    return OutOfRange("temperature", options.temperature, "0 (greedy) or more");
  }
  if (options.top_k < 0) return OutOfRange("top-k", options.top_k, "0 (off) or more");
  if (!(options.top_p > 0 && options.top_p <= 1))
    return OutOfRange("top-p", options.top_p, "above 0 and at most 1 (off)");
  if (!(options.min_p >= 0 && options.min_p <= 1)) return OutOfRange("min-p", options.min_p, "from 0 (off) to 1");
  if (!(options.repeat_penalty > 0) || !std::isfinite(options.repeat_penalty)) {
    return OutOfRange("repeat penalty", options.repeat_penalty, "above 0; 1 is off");
  }
  if (options.repeat_last_n < 0) return OutOfRange("repeat window", options.repeat_last_n, "0 (off) or more tokens");
  return std::nullopt;
}

// llama.cpp takes this one seed for "choose any".
uint32_t FixedSeed(uint32_t seed) { return seed == LLAMA_DEFAULT_SEED ? seed - 1 : seed; }

ChainPtr BuildChain(const SamplingOptions& options, int64_t vocabulary) {
  ChainPtr chain(llama_sampler_chain_init(llama_sampler_chain_default_params()));
  const auto add = [&](llama_sampler* sampler) { llama_sampler_chain_add(chain.get(), sampler); };
  add(llama_sampler_init_penalties(static_cast<int32_t>(vocabulary), options.repeat_last_n, options.repeat_penalty, 0,
                                   0));
  if (options.temperature > 0) {
    add(llama_sampler_init_top_k(options.top_k));
    add(llama_sampler_init_top_p(options.top_p, 1));
    add(llama_sampler_init_min_p(options.min_p, 1));
    add(llama_sampler_init_temp(options.temperature));
    add(llama_sampler_init_dist(FixedSeed(options.seed)));
  }
  return chain;
}

}  // namespace

struct Sampler::Impl {
  bool is_greedy = true;
  bool has_penalty = false;
  int64_t vocabulary = 0;
  ChainPtr chain;
  std::vector<llama_token_data> candidates;  // [vocabulary], reused
  std::vector<float> penalised;              // [vocabulary], for greedy with penalties

  void Fill(std::span<const float> logits);
  TokenId SampleGreedy(std::span<const float> logits);
};

void Sampler::Impl::Fill(std::span<const float> logits) {
  candidates.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    candidates[i] = {static_cast<llama_token>(i), std::isnan(logits[i]) ? kNever : logits[i], 0};
  }
}

TokenId Sampler::Impl::SampleGreedy(std::span<const float> logits) {
  if (!has_penalty) return ArgMax(logits);
  Fill(logits);
  llama_token_data_array row{candidates.data(), candidates.size(), -1, false};
  llama_sampler_apply(chain.get(), &row);
  penalised.assign(logits.size(), kNever);
  for (size_t i = 0; i < row.size; ++i) penalised[static_cast<size_t>(row.data[i].id)] = row.data[i].logit;
  return ArgMax(penalised);
}

TokenId ArgMax(std::span<const float> logits) {
  size_t best = 0;
  float largest = kNever;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > largest) {
      largest = logits[i];
      best = i;
    }
  }
  return static_cast<TokenId>(best);
}

Result<Sampler> Sampler::Create(const SamplingOptions& options, int64_t vocabulary) {
  if (auto error = Check(options)) return *std::move(error);
  if (vocabulary <= 0 || vocabulary > std::numeric_limits<int32_t>::max()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("a vocabulary of {} tokens cannot be sampled", vocabulary)};
  }
  auto impl = std::make_unique<Impl>();
  impl->is_greedy = options.temperature == 0;
  impl->has_penalty = options.repeat_penalty != 1 && options.repeat_last_n > 0;
  impl->vocabulary = vocabulary;
  impl->chain = BuildChain(options, vocabulary);
  return Sampler(std::move(impl));
}

Sampler::Sampler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sampler::~Sampler() = default;
Sampler::Sampler(Sampler&&) noexcept = default;
Sampler& Sampler::operator=(Sampler&&) noexcept = default;

TokenId Sampler::Sample(std::span<const float> logits) {
  assert(static_cast<int64_t>(logits.size()) == impl_->vocabulary);
  const TokenId likeliest = ArgMax(logits);
  const float largest = logits[static_cast<size_t>(likeliest)];
  TokenId token = likeliest;
  // Without a finite maximum there is no distribution to draw from.
  if (std::isfinite(largest)) {
    if (impl_->is_greedy) {
      token = impl_->SampleGreedy(logits);
    } else {
      impl_->Fill(logits);
      llama_token_data_array row{impl_->candidates.data(), impl_->candidates.size(), -1, false};
      llama_sampler_apply(impl_->chain.get(), &row);
      if (row.selected >= 0 && static_cast<size_t>(row.selected) < row.size) token = row.data[row.selected].id;
    }
  }
  Accept(token);
  return token;
}

void Sampler::Accept(TokenId token) {
  if (token >= 0 && token < impl_->vocabulary) llama_sampler_accept(impl_->chain.get(), token);
}

Sampler Sampler::Clone() const {
  auto copy = std::make_unique<Impl>();
  copy->is_greedy = impl_->is_greedy;
  copy->has_penalty = impl_->has_penalty;
  copy->vocabulary = impl_->vocabulary;
  copy->chain.reset(llama_sampler_clone(impl_->chain.get()));
  return Sampler(std::move(copy));
}

}  // namespace ltri
