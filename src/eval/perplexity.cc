#include "eval/perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/engine.h"

namespace ltri {
namespace {

// Nats that the model gives to `token`.
double Loss(const float* logits, int64_t vocabulary, TokenId token) {
  const float most = *std::max_element(logits, logits + vocabulary);
  double sum = 0;
  for (int64_t i = 0; i < vocabulary; ++i) sum += std::exp(static_cast<double>(logits[i] - most));
  return std::log(sum) - static_cast<double>(logits[token] - most);
}

}  // namespace

double PerplexityCurve::Perplexity() const {
  double loss = 0;
  double tokens = 0;
  for (const PerplexityPart& part : parts) {
    loss += part.loss * static_cast<double>(part.end - part.begin);
    tokens += static_cast<double>(part.end - part.begin);
  }
  return tokens > 0 ? std::exp(loss / tokens) : 0.0;
}

Result<PerplexityCurve> MeasurePerplexity(Model& model, const SessionOptions& options, std::span<const TokenId> tokens,
                                          int64_t parts, const ProgressCallback& progress) {
  const auto count = static_cast<int64_t>(tokens.size());
  if (parts < 1 || count < parts + 1) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} tokens cannot be cut into {} parts", count, parts)};
  }
  Engine& engine = model.engine();
  Result<std::unique_ptr<Method>> method = engine.MakeMethod(options);
  if (!method.ok()) return method.error();
  PerplexityCurve curve;
  for (int64_t i = 0; i < parts; ++i)
    curve.parts.push_back({1 + (count - 1) * i / parts, 1 + (count - 1) * (i + 1) / parts});
  const int64_t vocabulary = model.info().vocabulary;
  std::vector<float> logits;
  const auto start = std::chrono::steady_clock::now();
  size_t part = 0;
  for (int64_t begin = 0; begin + 1 < count; begin += options.block) {
    const int64_t rows = std::min(options.block, count - 1 - begin);  // each has a token that follows
    Slice slice{method->get(),
                tokens.subspan(static_cast<size_t>(begin), static_cast<size_t>(rows)),
                {begin, rows, StepKind::kPrompt},
                rows,
                &logits};
    if (Status status = engine.Step({&slice, 1}); !status.ok()) return status.error();
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t next = begin + row + 1;
      while (next >= curve.parts[part].end) ++part;
      curve.parts[part].loss += Loss(logits.data() + row * vocabulary, vocabulary, tokens[static_cast<size_t>(next)]);
    }
    curve.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (progress && !progress({begin + rows, count, curve.seconds})) {
      return Error{ErrorCode::kCancelled, fmt::format("stopped after {} of {} tokens", begin + rows, count)};
    }
  }
  for (PerplexityPart& p : curve.parts) p.loss /= static_cast<double>(p.end - p.begin);
  return curve;
}

}  // namespace ltri
