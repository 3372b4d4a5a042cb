#include "attention/recall.h"

#include <fmt/format.h>

#include <algorithm>

#include "attention/choose.h"
#include "attention/registry.h"
#include "attention/voting.h"
#include "ops/local_probability.h"

namespace ltri {
namespace {

// `auto` reads a prompt densely while quadratic attention costs about what the linear layers do: up to so many tokens
// when every layer attends to everything, further when only some do.
constexpr int64_t kDenseTokens = 8192;

int64_t DenseTokens(const ModelConfig& config) {
  int64_t full = 0;
  for (int64_t layer = 0; layer < config.layers; ++layer) full += config.IsSliding(layer) ? 0 : 1;
  return std::min(config.trained_context, kDenseTokens * config.layers / std::max<int64_t>(1, full));
}

}  // namespace

Recall::Recall(const MethodContext& context, const SessionOptions& options, std::vector<SpanMemory> layers)
    : LayeredMethod(context, options),
      context_(context),
      spans_(std::move(layers)),
      board_(context.config->layers),
      weights_(static_cast<size_t>(context.config->layers * Groups())),
      bands_(static_cast<size_t>(context.config->layers)) {}

// How many groups of heads choose for themselves within a layer.
int64_t Recall::Groups() const {
  switch (options().sharing) {
    case Sharing::kKvHead:
      return config().kv_heads;
    case Sharing::kHead:
      return config().heads;
    case Sharing::kGlobal:
    case Sharing::kLayer:
      break;
  }
  return 1;
}

bool Recall::ReadsDensely(int64_t end) const {
  if (end <= options().sinks + options().window) return true;
  if (options().prefill == Prefill::kAuto) return end <= DenseTokens(config());
  return options().prefill == Prefill::kDense;
}

// What is read again must still be local in all layers: within the window, and within what sliding layers keep.
int64_t Recall::SecondReading() const { return std::min({options().second_reading, options().window, kSlidingSlack}); }

bool Recall::StepIsDense() const {
  const bool prompt = step().kind == StepKind::kPrompt || step().kind == StepKind::kPromptEnd;
  return prompt && ReadsDensely(step().end());
}

void Recall::BeginStep(const StepRange& step) {
  LayeredMethod::BeginStep(step);
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (config().IsSliding(layer)) continue;
    spans_[static_cast<size_t>(layer)].StoreUntil(step.begin - options().window, store(layer));
  }
}

View Recall::ChooseView(ThreadPool& pool, int64_t layer, const float* q) {
  const SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  const bool dense = StepIsDense();
  // Nothing but sinks lies before the window: all is local.
  if (memory.stored().empty() || options().budget == 0) {
    View view;
    view.positions = ResolvePositions(step().end());
    if (dense || memory.stored().empty()) return view;
    if (options().sinks > 0) view.far = {{{0, options().sinks}}};
    view.local_begin = memory.local_begin();
    return view;
  }
  // A densely read prompt still votes at its end, so that the first decoded token finds votes of the step before.
  if (dense && step().kind != StepKind::kPromptEnd) return {};
  std::vector<std::vector<TokenRange>> far = Choose(layer, Vote(pool, layer, q));
  if (dense) return {};
  return {std::move(far), memory.local_begin(), ResolvePositions(step().end())};
}

// The votes of this layer: [groups, stored spans].
std::vector<float> Recall::Vote(ThreadPool& pool, int64_t layer, const float* q) {
  const SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  const int64_t heads = config().heads;
  const RopeTable* rope = nullptr;
  if (options().clamp_relevance) rope = &context_.ropes->ForLayer(layer, options().window + 1);
  const VotingRows queries =
      CollectQueries(q, heads, config().head_dim, step(), options().voting_queries, rope, options().window);
  VotingRule rule{options().votes, options().vote_weights, nullptr, config().attention_scale};
  if (rule.weights == VoteWeights::kHeadTable) rule.head_weights = options().head_table.data() + layer * heads;
  const std::vector<float> votes = HeadVotes(pool, memory.index(), queries, heads, config().head_dim, rule);
  return GroupVotes(votes, heads, Groups());
}

// Spans for each group, as ranges behind the sinks.
std::vector<std::vector<TokenRange>> Recall::Choose(int64_t layer, std::vector<float> votes) {
  const std::span<const Span> spans = spans_[static_cast<size_t>(layer)].stored();
  if (options().sharing == Sharing::kGlobal) {
    board_.Replace(layer, spans, votes);
    board_.Collect(spans, votes);
  }
  const Persistence persistence{
      options().persistence, options().persistence_share,
      step().kind == StepKind::kDecode ? options().persistence_decode : options().persistence_prefill};
  std::vector<std::vector<TokenRange>> chosen;
  for (int64_t g = 0; g < Groups(); ++g) {
    std::vector<float>& weights = weights_[static_cast<size_t>(layer * Groups() + g)];
    weights.resize(spans.size(), 0.0F);
    const std::span<const float> mine(votes.data() + g * static_cast<int64_t>(spans.size()), spans.size());
    const std::vector<uint8_t> picked = ChooseSpans(spans, mine, options().budget, persistence, weights);
    chosen.push_back(ToRanges(spans, picked, {0, options().sinks}));
  }
  return chosen;
}

bool Recall::WantsStatistics() const {
  if (step().kind == StepKind::kReread) return false;  // these rows were seen before
  return spans_.front().NeedsBand() || spans_.front().NeedsReceived();
}

void Recall::Attended(ThreadPool& pool, int64_t layer, const AttendArgs& args, const float* lse) {
  SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  if (memory.NeedsBand()) {
    std::vector<float>& band = bands_[static_cast<size_t>(layer)];
    band.resize(static_cast<size_t>(step().count * options().max_span));
    SpanBand(pool, args, lse, options().max_span, band.data());
    if (layer == record_layer_) {
      const int64_t kept = static_cast<int64_t>(record_.rows.size()) / record_.width;
      const int64_t begin = std::max(step().begin, record_.begin);
      const int64_t end = std::min(step().end(), record_.begin + kept);
      if (begin < end) {
        std::copy_n(band.begin() + (begin - step().begin) * record_.width, (end - begin) * record_.width,
                    record_.rows.begin() + (begin - record_.begin) * record_.width);
      }
    }
  }
  if (memory.NeedsReceived()) {
    int64_t local = 0;
    for (const KeyRun& run : args.groups[0].local) local += run.count;
    std::vector<float> received(static_cast<size_t>(config().heads * local), 0.0F);
    ReceivedAttention(pool, args, lse, received.data());
    memory.AddReceived(step().end() - local, local, received);
  }
}

bool Recall::RecordBand(int64_t layer, TokenRange tokens) {
  if (config().IsSliding(layer) || !spans_[static_cast<size_t>(layer)].NeedsBand()) return false;
  record_layer_ = layer;
  record_.begin = tokens.begin;
  record_.width = options().max_span;
  record_.rows.assign(static_cast<size_t>(tokens.count() * record_.width), 0.0F);
  return true;
}

void Recall::EndStep(ThreadPool& pool) {
  LayeredMethod::EndStep(pool);
  if (step().kind == StepKind::kReread) return;
  pool.Run(config().layers, [&](int64_t layer, int) {
    if (config().IsSliding(layer)) return;
    spans_[static_cast<size_t>(layer)].Push(step().begin, step().count, bands_[static_cast<size_t>(layer)],
                                            options().max_span);
  });
}

bool Recall::Truncate(int64_t tokens) {
  if (tokens >= size()) return true;
  if (!LayeredMethod::Truncate(tokens)) return false;
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (config().IsSliding(layer)) continue;
    SpanMemory& memory = spans_[static_cast<size_t>(layer)];
    memory.Truncate(tokens, tokens - options().window);
    for (int64_t g = 0; g < Groups(); ++g) {
      std::vector<float>& weights = weights_[static_cast<size_t>(layer * Groups() + g)];
      weights.resize(std::min(weights.size(), memory.stored().size()));
    }
  }
  board_.Truncate(tokens);
  return true;
}

MemoryUse Recall::memory() const {
  MemoryUse use = LayeredMethod::memory();
  for (const SpanMemory& memory : spans_) use.index += memory.bytes();
  for (const std::vector<float>& weights : weights_)
    use.index += static_cast<int64_t>(weights.capacity() * sizeof(float));
  use.index += board_.bytes();
  return use;
}

Result<std::unique_ptr<Method>> MakeRecall(const MethodContext& context, const SessionOptions& options) {
  if (options.window / 2 < options.max_span) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("window is {}, but must be at least twice the longest span ({} tokens)", options.window,
                             options.max_span)};
  }
  const ModelConfig& config = *context.config;
  IndexRule rule;
  rule.kind = options.index;
  rule.count = options.index_vectors;
  std::vector<SpanMemory> layers;
  layers.reserve(static_cast<size_t>(config.layers));
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    Result<std::unique_ptr<SpanCutter>> cutter = MakeSpanCutter(CutterOptions(options));
    if (!cutter.ok()) return cutter.error();
    layers.emplace_back(std::move(*cutter), rule, config.heads, config.kv_heads, config.head_dim);
  }
  return std::unique_ptr<Method>(std::make_unique<Recall>(context, options, std::move(layers)));
}

}  // namespace ltri
