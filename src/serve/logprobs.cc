#include "serve/logprobs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace ltri {
namespace {

// JSON has no infinity; this is what OpenAI sends for "never".
constexpr float kNever = -9999.0F;

// log of the sum of exp, as a number that can be taken off each logit.
double Normaliser(std::span<const float> logits) {
  const float most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - most);
  return most + std::log(sum);
}

}  // namespace

TokenLogprob LogprobOf(std::span<const float> logits, TokenId token, int top, const Tokenizer& tokenizer) {
  const double normaliser = Normaliser(logits);
  const auto chance = [&](TokenId id) {
    const auto logprob = static_cast<float>(logits[static_cast<size_t>(id)] - normaliser);
    return TokenChance{id, tokenizer.Piece(id, /*show_control=*/true), std::isfinite(logprob) ? logprob : kNever};
  };
  TokenLogprob result{chance(token), 0, {}};
  std::vector<TokenId> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::min<std::ptrdiff_t>(top, static_cast<std::ptrdiff_t>(order.size()));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](TokenId a, TokenId b) {
    const float left = logits[static_cast<size_t>(a)];
    const float right = logits[static_cast<size_t>(b)];
    return left != right ? left > right : a < b;
  });
  for (std::ptrdiff_t i = 0; i < count; ++i) result.top.push_back(chance(order[static_cast<size_t>(i)]));
  return result;
}

}  // namespace ltri
