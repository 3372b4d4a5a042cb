#include "eval/head_profile.h"

#include <fmt/format.h>

#include <chrono>

#include "engine/engine.h"
#include "engine/sampler.h"
#include "eval/attention_probe.h"

namespace ltri {
namespace {

constexpr int64_t kAnswerTokens = 12;
constexpr int64_t kBlock = 512;

// Reads a prompt up to its last token.
Status ReadPrompt(Engine& engine, AttentionProbe& probe, const std::vector<TokenId>& tokens) {
  const int64_t end = static_cast<int64_t>(tokens.size()) - 1;
  for (int64_t begin = 0; begin < end; begin += kBlock) {
    Slice slice;
    slice.memory = &probe;
    slice.range = {begin, std::min(kBlock, end - begin), StepKind::kPrompt};
    slice.tokens = {tokens.data() + begin, static_cast<size_t>(slice.range.count)};
    if (Status status = engine.Step({&slice, 1}); !status.ok()) return status;
  }
  return {};
}

// Answers one prompt; hits[layer * heads + head] counts the copied evidence tokens. Returns the answer's tokens.
Result<std::vector<TokenId>> CountCopies(Engine& engine, const NeedlePrompt& prompt, std::vector<float>* hits) {
  AttentionProbe probe(engine.method_context());
  if (Status status = ReadPrompt(engine, probe, prompt.tokens); !status.ok()) return status.error();
  const ModelConfig& config = engine.config();
  std::vector<TokenId> tokens = prompt.tokens;
  std::vector<float> logits;
  const float share = 1.0F / static_cast<float>(prompt.evidence.count());
  for (int64_t step = 0; step < kAnswerTokens; ++step) {
    Slice slice{
        &probe, {&tokens.back(), 1}, {static_cast<int64_t>(tokens.size()) - 1, 1, StepKind::kDecode}, 1, &logits};
    if (Status status = engine.Step({&slice, 1}); !status.ok()) return status.error();
    const TokenId next = ArgMax(logits);
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      for (int64_t head = 0; head < config.heads; ++head) {
        const int64_t top = probe.Top(layer, head);
        if (top < prompt.evidence.begin || top >= prompt.evidence.end) continue;
        if (tokens[static_cast<size_t>(top)] != next) continue;
        (*hits)[static_cast<size_t>(layer * config.heads + head)] += share;
      }
    }
    tokens.push_back(next);
  }
  return std::vector<TokenId>(tokens.end() - kAnswerTokens, tokens.end());
}

}  // namespace

Result<HeadProfile> ProfileHeads(const std::shared_ptr<Model>& model, const Haystack& haystack,
                                 const HeadProfileOptions& options, const ProgressCallback& progress) {
  Engine& engine = model->engine();
  HeadProfile profile;
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
