#include "attention/recall.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attention/choose.h"
#include "attention/registry.h"
#include "attention/voting.h"
#include "ops/local_probability.h"

namespace ltri {
namespace {

// `auto` reads a prompt densely while quadratic attention costs about what the linear layers do: up to so many tokens
// when every layer attends to everything, further when only some do.
constexpr int64_t kDenseTokens = 8192;

// Spans that a layer votes for even when its budget is small: others may want them too.
constexpr int64_t kLeastBallot = 128;

// More spans than the budget has room for are of no use to the vote that fills it.
int64_t MostSpans(const SessionOptions& options) { return std::max(kLeastBallot, options.budget / options.min_span); }

int64_t DenseTokens(const ModelConfig& config) {
  int64_t full = 0;
  for (int64_t layer = 0; layer < config.layers; ++layer) full += config.IsSliding(layer) ? 0 : 1;
  return std::min(config.trained_context, kDenseTokens * config.layers / std::max<int64_t>(1, full));
}

}  // namespace

Recall::Recall(const MethodContext& context, const SessionOptions& options, std::vector<SpanMemory> layers,
               std::vector<uint8_t> voters)
    : LayeredMethod(context, options),
      context_(context),
      spans_(std::move(layers)),
      board_(context.config->layers),
      voters_(std::move(voters)),
      weights_(static_cast<size_t>(context.config->layers * Groups())),
      choices_(static_cast<size_t>(context.config->layers)),
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
  decoding_ = this->step().kind == StepKind::kDecode && this->step().end() == step.begin;
  LayeredMethod::BeginStep(step);
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (config().IsSliding(layer)) continue;
    spans_[static_cast<size_t>(layer)].StoreUntil(step.begin - options().window, store(layer));
  }
}

void Recall::ChooseView(ThreadPool& pool, int64_t layer, const float* q, View* view) {
  const SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  const bool dense = StepIsDense();
  // Nothing but sinks lies before the window: all is local.
  if (memory.stored().empty() || options().budget == 0) {
    const bool all = dense || memory.stored().empty();
    return view->SeeSinks(all ? 0 : options().sinks, all ? 0 : memory.local_begin(), ResolvePositions(step().end()));
  }
  // A densely read prompt still votes at its end, so that the first decoded token finds votes of the step before.
  if (dense && step().kind != StepKind::kPromptEnd) return view->SeeEverything();
  Choice& choice = choices_[static_cast<size_t>(layer)];
  if (!KeepsChoice(layer)) choice = {Choose(layer, Vote(pool, layer, q)), memory.local_begin(), step().end()};
  if (dense) return view->SeeEverything();
  view->far = choice.far;
  view->local_begin = choice.local_begin;
  view->positions = ResolvePositions(step().end());
}

// While a text is decoded, layers choose anew in turn: votes are shared, so what a text turns to is seen by some layer
// at every token. The first token after a prompt is a turn of all.
bool Recall::KeepsChoice(int64_t layer) const {
  if (step().kind != StepKind::kDecode || !decoding_) return false;
  const int64_t age = step().end() - choices_[static_cast<size_t>(layer)].token;
  return choices_[static_cast<size_t>(layer)].token >= 0 && age < options().reselect &&
         (step().begin + layer) % options().reselect != 0;
}

// The votes of this layer, one ballot a group.
std::vector<Ballot> Recall::Vote(ThreadPool& pool, int64_t layer, const float* q) {
  const SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  const int64_t heads = config().heads;
  const RopeTable* rope = nullptr;
  if (options().clamp_relevance) rope = &context_.ropes->ForLayer(layer, options().window + 1);
  const VotingRows queries =
      CollectQueries(q, heads, config().head_dim, step(), options().voting_queries, rope, options().window);
  VotingRule rule;
  rule.votes = options().votes;
  rule.weights = options().vote_weights;
  if (rule.weights == VoteWeights::kHeadTable) rule.head_weights = options().head_table.data() + layer * heads;
  if (!voters_.empty()) rule.voters = voters_.data() + layer * heads;
  rule.scale = config().attention_scale;
  rule.probes = options().index_probes;
  rule.most = MostSpans(options());
  return CastVotes(pool, memory.index(), queries, heads, rule, Groups());
}

// Spans for each group, as ranges behind the sinks.
std::vector<std::vector<TokenRange>> Recall::Choose(int64_t layer, std::vector<Ballot> votes) {
  const SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  const std::span<const Span> spans = memory.stored();
  if (options().sharing == Sharing::kGlobal) {
    board_.Replace(layer, spans, votes[0]);
    votes[0] = board_.Collect(spans, memory.directory(), 2 * MostSpans(options()));  // persistence takes some
  }
  const bool decode = step().kind == StepKind::kDecode;
  Persistence persistence{options().persistence, options().persistence_share,
                          decode ? options().persistence_decode : options().persistence_prefill,
                          2 * MostSpans(options())};
  const int64_t since = step().end() - choices_[static_cast<size_t>(layer)].token;
  if (decode && decoding_) persistence.decay = std::pow(persistence.decay, static_cast<double>(since));
  std::vector<std::vector<TokenRange>> chosen;
  for (int64_t g = 0; g < Groups(); ++g) {
    Ballot& weights = weights_[static_cast<size_t>(layer * Groups() + g)];
    const std::vector<int32_t> picked =
        ChooseSpans(spans, votes[static_cast<size_t>(g)], options().budget, persistence, &weights);
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
    SpanMemory& memory = spans_[static_cast<size_t>(layer)];
    memory.Push(step().begin, step().count, bands_[static_cast<size_t>(layer)], options().max_span);
    memory.Tidy();
  });
}

bool Recall::Truncate(int64_t tokens) {
  if (tokens >= size()) return true;
  if (!LayeredMethod::Truncate(tokens)) return false;
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (config().IsSliding(layer)) continue;
    SpanMemory& memory = spans_[static_cast<size_t>(layer)];
    memory.Truncate(tokens, tokens - options().window);
    choices_[static_cast<size_t>(layer)] = {};
    const auto stored = static_cast<int64_t>(memory.stored().size());
    for (int64_t g = 0; g < Groups(); ++g) {
      std::erase_if(weights_[static_cast<size_t>(layer * Groups() + g)],
                    [stored](const SpanVote& v) { return v.span >= stored; });
    }
  }
  board_.Truncate(tokens);
  return true;
}

MemoryUse Recall::memory() const {
  MemoryUse use = LayeredMethod::memory();
  for (const SpanMemory& memory : spans_) use.index += memory.bytes();
  for (const Ballot& weights : weights_) use.index += static_cast<int64_t>(weights.capacity() * sizeof(SpanVote));
  use.index += board_.bytes();
  return use;
}

// The `count` heads with the highest scores of `table` [heads of all layers]; empty when all vote.
std::vector<uint8_t> ChooseVoters(const std::vector<float>& table, int64_t count) {
  if (count <= 0 || count >= static_cast<int64_t>(table.size())) return {};
  std::vector<size_t> order(table.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return table[a] > table[b]; });
  std::vector<uint8_t> voters(table.size(), 0);
  for (int64_t i = 0; i < count; ++i) voters[order[static_cast<size_t>(i)]] = 1;
  return voters;
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
  const std::vector<uint8_t> voters = ChooseVoters(options.head_table, options.voting_heads);
  const int64_t index_heads = SpanMemory::IndexHeads(rule, config.heads, config.kv_heads);
  std::vector<SpanMemory> layers;
  layers.reserve(static_cast<size_t>(config.layers));
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    Result<std::unique_ptr<SpanCutter>> cutter = MakeSpanCutter(CutterOptions(options));
    if (!cutter.ok()) return cutter.error();
    std::vector<uint8_t> kept;  // index heads that some voter uses
    if (!voters.empty()) kept.resize(static_cast<size_t>(index_heads), 0);
    for (int64_t h = 0; !voters.empty() && h < config.heads; ++h) {
      kept[static_cast<size_t>(h * index_heads / config.heads)] |=
          voters[static_cast<size_t>(layer * config.heads + h)];
    }
    SpanIndex index(index_heads, config.head_dim, std::move(kept), options.index_clusters);
    layers.emplace_back(std::move(*cutter), rule, config.heads, config.kv_heads, std::move(index));
  }
  return std::unique_ptr<Method>(std::make_unique<Recall>(context, options, std::move(layers), voters));
}

}  // namespace ltri
