#include "attention/recall.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attention/choose.h"
#include "attention/registry.h"
#include "attention/voting.h"
#include "base/stopwatch.h"
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
      spans_(std::move(layers)),
      board_(context.config->layers),
      voters_(std::move(voters)),
      weights_(static_cast<size_t>(context.config->layers * Groups())),
      choices_(static_cast<size_t>(context.config->layers)),
      bands_(static_cast<size_t>(context.config->layers)),
      cut_seconds_(static_cast<size_t>(context.config->layers), 0.0) {}

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

bool Recall::ReadsDensely(const ModelConfig& config, const SessionOptions& options, int64_t end) {
  if (end <= options.sinks + options.window) return true;
  if (options.prefill == Prefill::kAuto) return end <= DenseTokens(config);
  return options.prefill == Prefill::kDense;
}

// What is read again must still be local in all layers: within the window, and within what sliding layers keep.
int64_t Recall::SecondReading() const { return std::min({options().second_reading, options().window, kSlidingSlack}); }

bool Recall::StepIsDense() const {
  const bool prompt = step().kind == StepKind::kPrompt || step().kind == StepKind::kPromptEnd;
  return prompt && joined_end() == 0 && ReadsDensely(config(), options(), step().end());
}

Status Recall::BeginStep(ThreadPool& pool, const StepRange& step) {
  decoding_ = this->step().kind == StepKind::kDecode && this->step().end() == step.begin;
  if (Status status = LayeredMethod::BeginStep(pool, step); !status.ok()) return status;
  if (step.kind == StepKind::kPromptEnd) asked_.Clear();
  const int64_t limit = step.begin - options().window;
  std::vector<Block*> keys;
  for (int64_t layer = 0; layer < config().layers && tier()->needs_holds(); ++layer) {
    if (!config().IsSliding(layer)) spans_[static_cast<size_t>(layer)].AppendBlocks(limit, store(layer), &keys);
  }
  const Result<BlockHold> hold = Hold(pool, std::move(keys));
  if (!hold.ok()) return hold.error();
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (config().IsSliding(layer)) continue;
    spans_[static_cast<size_t>(layer)].StoreUntil(limit, store(layer));
  }
  return {};
}

Status Recall::ChooseView(ThreadPool& pool, int64_t layer, const float* q, View* view) {
  const SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  const bool dense = StepIsDense();
  // Nothing but sinks lies before the window: all is local.
  if (memory.stored().empty() || options().budget == 0) {
    const bool all = dense || (memory.stored().empty() && joined_end() == 0);
    view->SeeSinks(all ? 0 : sinks(), all ? 0 : memory.local_begin(), ResolvePositions());
    return {};
  }
  Choice& choice = choices_[static_cast<size_t>(layer)];
  // A densely read prompt still votes at its end, so that the first decoded token finds votes of the step before.
  if ((!dense || step().kind == StepKind::kPromptEnd) && !KeepsChoice(layer)) {
    Result<std::vector<Ballot>> votes = Vote(pool, layer, q);
    if (!votes.ok()) return votes.error();
    choice = {Choose(pool, layer, std::move(*votes)), memory.local_begin(), step().end()};
  }
  if (dense) {
    view->SeeEverything();
    return {};
  }
  view->far = choice.far;
  view->local_begin = choice.local_begin;
  view->positions = ResolvePositions();
  view->lasting = options().reselect > 1;
  return {};
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
Result<std::vector<Ballot>> Recall::Vote(ThreadPool& pool, int64_t layer, const float* q) {
  const SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  const int64_t heads = config().heads;
  const RopeTable* rope = nullptr;
  if (options().clamp_relevance) rope = &ropes().ForLayer(layer, options().window + 1);
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
  std::vector<Block*> blocks;
  if (tier()->needs_holds()) memory.index().AppendBlocks(&blocks);
  const Result<BlockHold> hold = Hold(pool, std::move(blocks));
  if (!hold.ok()) return hold.error();
  return CastVotes(pool, memory.index(), queries, heads, rule, Groups());
}

// Spans for each group, as ranges behind the sinks.
std::vector<std::vector<TokenRange>> Recall::Choose(ThreadPool& pool, int64_t layer, std::vector<Ballot> votes) {
  const SpanMemory& memory = spans_[static_cast<size_t>(layer)];
  const std::span<const Span> spans = memory.stored();
  for (const Ballot& ballot : votes) PrefetchSpans(spans, ballot);
  for (const Ballot& ballot : votes) asked_.Add(spans, ballot);
  if (options().sharing == Sharing::kGlobal) {
    board_.Replace(layer, spans, votes[0]);
    votes[0] = board_.Collect(pool, spans, memory.directory(), 2 * MostSpans(options()));  // persistence takes some
  }
  const bool decode = step().kind == StepKind::kDecode;
  Persistence persistence;
  persistence.on = options().persistence;
  persistence.share = options().persistence_share;
  persistence.decay = options().persistence_prefill;
  persistence.most = 2 * MostSpans(options());
  if (decode) {
    const int64_t since = decoding_ ? step().end() - choices_[static_cast<size_t>(layer)].token : 1;
    persistence.decay = std::pow(options().persistence_decode, static_cast<double>(since));
    // A prompt's end votes with the mean of many queries, a decoded token with its own alone, which would soon outweigh
    // what the prompt asked for.
    persistence.gain = 1.0 - options().persistence_decode;
  }
  std::vector<std::vector<TokenRange>> chosen;
  for (int64_t g = 0; g < Groups(); ++g) {
    Ballot& weights = weights_[static_cast<size_t>(layer * Groups() + g)];
    const std::vector<int32_t> picked = ChooseSpans(spans, votes[static_cast<size_t>(g)], options().budget, persistence,
                                                    &weights, {.reach = options().vote_reach});
    chosen.push_back(ToRanges(spans, picked, {0, sinks()}));
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
    const Stopwatch watch;
    SpanBand(pool, args, lse, options().max_span, band.data());
    band_seconds_ += watch.Seconds() * pool.threads();
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

Status Recall::EndStep(ThreadPool& pool) {
  if (Status status = LayeredMethod::EndStep(pool); !status.ok()) return status;
  if (step().kind == StepKind::kReread) return {};
  pool.Run(config().layers, [&](int64_t layer, int) {
    if (config().IsSliding(layer)) return;
    SpanMemory& memory = spans_[static_cast<size_t>(layer)];
    const Stopwatch watch;
    memory.Push(step().begin, step().count, bands_[static_cast<size_t>(layer)], options().max_span);
    cut_seconds_[static_cast<size_t>(layer)] += watch.Seconds();
    memory.Tidy();
  });
  return {};
}

bool Recall::Truncate(int64_t tokens) {
  if (tokens >= size()) return true;
  if (!LayeredMethod::Truncate(tokens)) return false;
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (config().IsSliding(layer)) continue;
    SpanMemory& memory = spans_[static_cast<size_t>(layer)];
    if (!memory.Truncate(tokens, tokens - options().window).ok()) return false;
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

double Recall::detection_seconds() const {
  return std::accumulate(cut_seconds_.begin(), cut_seconds_.end(), band_seconds_);
}

MemoryUse Recall::memory() const {
  MemoryUse use = LayeredMethod::memory();
  for (const SpanMemory& memory : spans_) use.index += memory.index().block_bytes();
  use.index += BesideBlocks();
  return use;
}

int64_t Recall::BesideBlocks() const {
  int64_t bytes = board_.bytes();
  for (const SpanMemory& memory : spans_) bytes += memory.BesideBlocks();
  for (const Ballot& weights : weights_) bytes += static_cast<int64_t>(weights.capacity() * sizeof(SpanVote));
  return bytes;
}

Result<std::unique_ptr<Method>> MakeRecall(const MethodContext& context, const SessionOptions& options) {
  if (options.window / 2 < options.max_span) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("window is {}, but must be at least twice the longest span ({} tokens)", options.window,
                             options.max_span)};
  }
  const ModelConfig& config = *context.config;
  MethodContext stored = context;
  if (stored.tier == nullptr) stored.tier = Tier::Create();
  IndexRule rule;
  rule.kind = options.index;
  rule.count = options.index_vectors;
  const std::vector<uint8_t> voters = ChooseVoters(options);
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
    SpanIndex index(index_heads, config.head_dim, stored.tier, std::move(kept), options.index_clusters);
    layers.emplace_back(std::move(*cutter), rule, config.heads, config.kv_heads, stored.tier, std::move(index));
  }
  return std::unique_ptr<Method>(std::make_unique<Recall>(stored, options, std::move(layers), voters));
}

}  // namespace ltri
