#include "engine/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "llama.h"
#include "text/llama_log.h"

namespace ltri {
namespace {

constexpr float kMostPenalty = 100;
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
  if (!(std::fabs(options.frequency_penalty) <= kMostPenalty)) {
    return OutOfRange("frequency penalty", options.frequency_penalty, "from -100 to 100");
  }
  if (!(std::fabs(options.presence_penalty) <= kMostPenalty)) {
    return OutOfRange("presence penalty", options.presence_penalty, "from -100 to 100");
  }
  if (options.repeat_last_n < 0) return OutOfRange("repeat window", options.repeat_last_n, "0 (off) or more tokens");
  return std::nullopt;
}

// llama.cpp takes this one seed for "choose any".
uint32_t FixedSeed(uint32_t seed) { return seed == LLAMA_DEFAULT_SEED ? seed - 1 : seed; }

ChainPtr BuildChain(const SamplingOptions& options, int64_t vocabulary) {
  ChainPtr chain(llama_sampler_chain_init(llama_sampler_chain_default_params()));
  const auto add = [&](llama_sampler* sampler) { llama_sampler_chain_add(chain.get(), sampler); };
  if (!options.logit_bias.empty()) {
    std::vector<llama_logit_bias> biases;
    for (const auto& [token, bias] : options.logit_bias) biases.push_back({token, bias});
    add(llama_sampler_init_logit_bias(static_cast<int32_t>(vocabulary), static_cast<int32_t>(biases.size()),
                                      biases.data()));
  }
  add(llama_sampler_init_penalties(static_cast<int32_t>(vocabulary), options.repeat_last_n, options.repeat_penalty,
                                   options.frequency_penalty, options.presence_penalty));
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
  bool adjusts = false;  // the chain changes logits, not only their choice
  int64_t vocabulary = 0;
  ChainPtr chain;
  std::vector<llama_token_data> candidates;    // [vocabulary], reused
  std::vector<float> adjusted;                 // [vocabulary], for greedy that adjusts
  ChainPtr grammar;                            // null: every token is allowed
  std::shared_ptr<const Tokenizer> tokenizer;  // of the grammar
  std::vector<float> allowed;                  // [vocabulary], what the grammar leaves

  void Fill(std::span<const float> logits);
  TokenId Choose(std::span<const float> logits);
  TokenId ChooseGreedy(std::span<const float> logits);
  bool Allows(TokenId token);
  std::span<const float> Allowed(std::span<const float> logits);
  void AcceptGrammar(TokenId token);
};

void Sampler::Impl::Fill(std::span<const float> logits) {
  candidates.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    candidates[i] = {static_cast<llama_token>(i), std::isnan(logits[i]) ? kNever : logits[i], 0};
  }
}

TokenId Sampler::Impl::ChooseGreedy(std::span<const float> logits) {
  if (!adjusts) return ArgMax(logits);
  Fill(logits);
  llama_token_data_array row{candidates.data(), candidates.size(), -1, false};
  llama_sampler_apply(chain.get(), &row);
  adjusted.assign(logits.size(), kNever);
  for (size_t i = 0; i < row.size; ++i) adjusted[static_cast<size_t>(row.data[i].id)] = row.data[i].logit;
  return ArgMax(adjusted);
}

TokenId Sampler::Impl::Choose(std::span<const float> logits) {
  const TokenId likeliest = ArgMax(logits);
  // Without a finite maximum there is no distribution to draw from.
  if (!std::isfinite(logits[static_cast<size_t>(likeliest)])) return likeliest;
  if (is_greedy) return ChooseGreedy(logits);
  Fill(logits);
  llama_token_data_array row{candidates.data(), candidates.size(), -1, false};
  llama_sampler_apply(chain.get(), &row);
  return row.selected >= 0 && static_cast<size_t>(row.selected) < row.size ? row.data[row.selected].id : likeliest;
}

bool Sampler::Impl::Allows(TokenId token) {
  llama_token_data one{token, 1, 0};
  llama_token_data_array row{&one, 1, -1, false};
  llama_sampler_apply(grammar.get(), &row);
  return std::isfinite(one.logit);
}

std::span<const float> Sampler::Impl::Allowed(std::span<const float> logits) {
  Fill(logits);
  llama_token_data_array row{candidates.data(), candidates.size(), -1, false};
  llama_sampler_apply(grammar.get(), &row);
  allowed.assign(logits.size(), kNever);
  for (size_t i = 0; i < row.size; ++i) allowed[static_cast<size_t>(row.data[i].id)] = row.data[i].logit;
  return allowed;
}

// A token that the rules do not allow, as when nothing else was left, ends them.
void Sampler::Impl::AcceptGrammar(TokenId token) {
  if (grammar == nullptr || tokenizer->IsEndOfGeneration(token)) return;
  try {
    llama_sampler_accept(grammar.get(), token);
  } catch (const std::exception&) {
    grammar.reset();
  }
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
  const bool penalises = options.repeat_penalty != 1 || options.frequency_penalty != 0 || options.presence_penalty != 0;
  impl->adjusts = (penalises && options.repeat_last_n > 0) || !options.logit_bias.empty();
  impl->vocabulary = vocabulary;
  impl->chain = BuildChain(options, vocabulary);
  return Sampler(std::move(impl));
}

Sampler::Sampler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sampler::~Sampler() = default;
Sampler::Sampler(Sampler&&) noexcept = default;
Sampler& Sampler::operator=(Sampler&&) noexcept = default;

Status Sampler::Constrain(const Grammar& grammar, std::shared_ptr<const Tokenizer> tokenizer) {
  const LlamaErrors errors;
  std::vector<const char*> triggers;
  for (const std::string& text : grammar.trigger_texts) triggers.push_back(text.c_str());
  try {
    impl_->grammar.reset(grammar.lazy
                             ? llama_sampler_init_grammar_lazy_patterns(
                                   tokenizer->vocab(), grammar.rules.c_str(), "root", triggers.data(), triggers.size(),
                                   grammar.trigger_tokens.data(), grammar.trigger_tokens.size())
                             : llama_sampler_init_grammar(tokenizer->vocab(), grammar.rules.c_str(), "root"));
    if (impl_->grammar == nullptr) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("the grammar cannot be read: {}", errors.Text("its rules are wrong"))};
    }
    for (const TokenId token : grammar.opening) llama_sampler_accept(impl_->grammar.get(), token);
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("the grammar cannot be used: {}", e.what())};
  }
  impl_->tokenizer = std::move(tokenizer);
  return {};
}

// A grammar over the whole vocabulary takes long: it is asked about the chosen token first.
TokenId Sampler::Sample(std::span<const float> logits) {
  assert(static_cast<int64_t>(logits.size()) == impl_->vocabulary);
  TokenId token = impl_->Choose(logits);
  if (impl_->grammar != nullptr && !impl_->Allows(token)) {
    const std::span<const float> allowed = impl_->Allowed(logits);
    token = impl_->Choose(allowed);
    if (!std::isfinite(allowed[static_cast<size_t>(token)])) token = std::max(0, impl_->tokenizer->eos());
  }
  Accept(token);
  return token;
}

void Sampler::Accept(TokenId token) {
  if (token >= 0 && token < impl_->vocabulary) llama_sampler_accept(impl_->chain.get(), token);
  impl_->AcceptGrammar(token);
}

Sampler Sampler::Clone() const {
  auto copy = std::make_unique<Impl>();
  copy->is_greedy = impl_->is_greedy;
  copy->adjusts = impl_->adjusts;
  copy->vocabulary = impl_->vocabulary;
  copy->chain.reset(llama_sampler_clone(impl_->chain.get()));
  if (impl_->grammar != nullptr) copy->grammar.reset(llama_sampler_clone(impl_->grammar.get()));
  copy->tokenizer = impl_->tokenizer;
  return Sampler(std::move(copy));
}

}  // namespace ltri
