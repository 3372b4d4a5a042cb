#include "eval/head_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "engine/engine.h"
#include "engine/sampler.h"
#include "eval/attention_probe.h"

namespace ltri {
namespace {

constexpr int64_t kAnswerTokens = 12;

// Answers one prompt; hits[layer * heads + head] counts the copied evidence tokens. Returns the answer's tokens.
Result<std::vector<TokenId>> CountCopies(Engine& engine, const NeedlePrompt& prompt, std::vector<float>* hits) {
  const ModelConfig& config = engine.config();
  std::vector<int64_t> tops(hits->size(), -1);  // the token that each head attends to most
  AttentionProbe probe(engine.method_context(), [&](int64_t layer, std::span<const float> received) {
    const int64_t keys = static_cast<int64_t>(received.size()) / config.heads;
    for (int64_t head = 0; head < config.heads; ++head) {
      const auto first = received.begin() + head * keys;
      tops[static_cast<size_t>(layer * config.heads + head)] = std::max_element(first, first + keys) - first;
    }
  });
  if (Status status = ReadButLast(engine, probe, prompt.tokens); !status.ok()) return status.error();
  std::vector<TokenId> tokens = prompt.tokens;
  std::vector<float> logits;
  const float share = 1.0F / static_cast<float>(prompt.evidence.count());
  for (int64_t step = 0; step < kAnswerTokens; ++step) {
    if (Status status = DecodeLast(engine, probe, tokens, &logits); !status.ok()) return status.error();
    const TokenId next = ArgMax(logits);
    for (size_t head = 0; head < tops.size(); ++head) {
      const int64_t top = tops[head];
      if (top < prompt.evidence.begin || top >= prompt.evidence.end) continue;
      if (tokens[static_cast<size_t>(top)] == next) (*hits)[head] += share;
    }
    tokens.push_back(next);
  }
  return std::vector<TokenId>(tokens.end() - kAnswerTokens, tokens.end());
}

}  // namespace

Result<HeadTable> ProfileHeads(const std::shared_ptr<Model>& model, const Haystack& haystack,
                               const HeadProfileOptions& options, const ProgressCallback& progress) {
  Engine& engine = model->engine();
  HeadTable profile;
  profile.scores.assign(static_cast<size_t>(engine.config().layers * engine.config().heads), 0.0F);
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < options.prompts; ++i) {
    NeedleOptions needle;
    needle.tokens = options.tokens;
    needle.seed = options.seed * 1000003 + static_cast<uint64_t>(i);
    needle.margin_back = std::min<int64_t>(300, options.tokens / 4);
    Result<NeedlePrompt> prompt = haystack.MakePrompt(*model, needle);
    if (!prompt.ok()) return prompt.error();
    std::vector<float> hits(profile.scores.size(), 0.0F);
    Result<std::vector<TokenId>> answer = CountCopies(engine, *prompt, &hits);
    if (!answer.ok()) return answer.error();
    ++profile.prompts;
    if (model->Detokenize(*answer).find(prompt->answer) != std::string::npos) {
      ++profile.answered;
      for (size_t j = 0; j < hits.size(); ++j) profile.scores[j] += hits[j];
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (progress && !progress({i + 1, options.prompts, seconds.count()})) {
      return Error{ErrorCode::kCancelled, fmt::format("stopped after {} of {} prompts", i + 1, options.prompts)};
    }
  }
  if (profile.answered == 0) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{} answered none of {} needle prompts of {} tokens, so its heads cannot be ranked",
                             model->info().path, options.prompts, options.tokens)};
  }
  for (float& score : profile.scores) score /= static_cast<float>(profile.answered);
  return profile;
}

}  // namespace ltri
