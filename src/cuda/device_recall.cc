// ltri on the card (attention/recall.h): bands are cut into spans on the host while the card goes on; index, votes and
// choice stay on the card, and no layer waits for the host.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "attention/band_drawer.h"
#include "attention/layered_method.h"
#include "attention/recall.h"
#include "cuda/band_queue.h"
#include "cuda/device_choice.h"
#include "cuda/device_method.h"
#include "cuda/device_spans.h"
#include "cuda/device_voters.h"
#include "cuda/far_reader.h"
#include "ops/cuda/choose.h"
#include "ops/cuda/span_band.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kFloat = sizeof(float);
constexpr int64_t kSpill = 128;    // tokens that a choice may exceed its budget by
constexpr double kLent = 0.15;     // of the budget goes to followers (attention/choose.h)
constexpr int64_t kAllLayers = 1;  // recordings: every layer chooses; else 2 + the turn, or 0: none

// Numbers recordings of all sequences: each holds addresses of one.
int64_t NextRecording() {
  static std::atomic<int64_t> next{0};
  return ++next;
}

// Bytes of the card that keys and values leave to what else grows with a text: an index of all heads, or a part of it.
int64_t Apart(const DeviceContext& context, const DeviceVoters& voters) {
  const auto all = static_cast<double>(context.config.layers * context.config.kv_heads);
  return static_cast<int64_t>(static_cast<double>(BlockPool::Apart()) * static_cast<double>(voters.indexed()) / all);
}

class DeviceRecall : public DeviceMethod {
 public:
  DeviceRecall(DeviceContext* context, const SessionOptions& options, std::shared_ptr<const DeviceVoters> voters,
               std::vector<DeviceSpans> layers)
      : DeviceMethod(context, options, options.sinks + options.budget + kSpill, Apart(*context, *voters)),
        voters_(std::move(voters)),
        layers_(std::move(layers)),
        chosen_begin_(layers_.size(), 0),
        chosen_at_(layers_.size(), -1),
        highest_(sizeof(uint32_t)) {
    for (int64_t layer = 0; layer < context->config.layers; ++layer) {
      if (!context->config.IsSliding(layer)) full_.push_back(layer);
    }
    OpenViews();
  }

  DeviceRecall(const DeviceRecall& other)
      : DeviceMethod(other),
        voters_(other.voters_),
        layers_(other.layers_),
        full_(other.full_),
        queue_(other.queue_),
        chosen_begin_(other.chosen_begin_),
        chosen_at_(other.chosen_at_),
        joined_sinks_(other.joined_sinks_),
        last_(other.last_),
        reader_(other.reader_ == nullptr ? nullptr : std::make_unique<FarReader>(*other.reader_)),
        arranged_(other.arranged_),
        highest_(sizeof(uint32_t)) {
    if (other.board_.bytes() == 0) return;
    board_ = Buffer(other.board_.bytes());
    CopyOnDevice(context().stream, board_.as<void>(), other.board_.as<void>(), board_.bytes());
  }

  bool SeesAll(int64_t tokens) const override {
    return joined_end() == 0 && tokens <= options().sinks + options().window;
  }
  int64_t SecondReading() const override {
    return std::min({options().second_reading, options().window, LayeredMethod::kSlidingSlack});
  }
  std::unique_ptr<Method> Fork() const override { return std::make_unique<DeviceRecall>(*this); }
  std::vector<Span> Spans(int64_t layer) const override { return layers_[static_cast<size_t>(layer)].spans(); }

  std::vector<TokenRange> Visible(int64_t layer, int64_t /*head*/) const override {
    LayerView view;
    Download(context().stream, &view, ref().views + layer, sizeof(view));
    std::vector<int32_t> rows(static_cast<size_t>(view.far));
    Download(context().stream, rows.data(), ref().rows + layer * ref().most_far,
             static_cast<int64_t>(rows.size() * sizeof(int32_t)));
    std::vector<TokenRange> ranges;
    for (const int32_t row : rows) {
      if (ranges.empty() || ranges.back().end != row) ranges.push_back({row, row});
      ++ranges.back().end;
    }
    const int64_t window = view.window == 0 ? view.end : view.window;
    ranges.push_back({std::max<int64_t>(view.local_begin, view.end - window), view.end});
    return ranges;
  }

  std::vector<RecallShare> Recalled() const override { return AskedShares(layers_); }

  MemoryUse memory() const override {
    MemoryUse use = DeviceMethod::memory();
    for (const DeviceSpans& spans : layers_) use.index += spans.bytes();
    use.index += board_.bytes();
    return use;
  }

  bool Truncate(int64_t tokens) override {
    if (tokens >= size()) return true;
    while (!queue_.empty()) Cut(nullptr);
    if (!DeviceMethod::Truncate(tokens)) return false;
    for (const int64_t layer : full_) spans(layer).Truncate(tokens, tokens - options().window);
    Clear(context().stream, board_.as<void>(), board_.bytes());
    OpenViews();
    std::fill(chosen_begin_.begin(), chosen_begin_.end(), 0);
    std::fill(chosen_at_.begin(), chosen_at_.end(), -1);
    if (reader_ != nullptr) reader_->Forget();
    last_ = {};
    return true;
  }

  // The fields of Recall.
  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) override {
    while (!queue_.empty()) Cut(nullptr);
    if (Status status = DeviceMethod::Save(file, state); !status.ok()) return status;
    state->Put(joined_sinks_);
    return SaveLayers(context(), pool_, Choosing(), store(), file, state);
  }

  Status Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) override {
    if (Status status = DeviceMethod::Restore(file, state); !status.ok()) return status;
    joined_sinks_ = state->GetWithin<int64_t>(0, joined_end(), "the sinks of joined texts");
    GrowBoard(size());
    const Result<bool> same = RestoreLayers(context(), Choosing(), store(), size(), joined_end(), file, state);
    if (!same.ok()) return same.error();
    if (*same) last_ = step();
    return {};
  }

  Status Finish(ThreadPool& pool) override {
    pool_ = &pool;
    while (!queue_.empty()) Cut(&pool);
    for (const int64_t layer : full_) spans(layer).Finish(device_ref());
    return {};
  }

  Result<std::vector<TokenRange>> Join(ThreadPool& /*pool*/, std::span<Method* const> texts) override {
    if (options().positions == Positions::kTrue) {
      return Error{ErrorCode::kInvalidArgument,
                   "positions are 'true', but several texts have no places relative to each other: take compact"};
    }
    std::vector<TokenRange> places;
    for (Method* text : texts) {
      auto& other = dynamic_cast<DeviceRecall&>(*text);
      const int64_t sinks = std::min(options().sinks, other.size());
      if (joined_end() == 0) joined_sinks_ = sinks;
      const Result<int64_t> begin = JoinStore(other);
      if (!begin.ok()) return begin.error();
      for (const int64_t layer : full_) spans(layer).Append(other.spans(layer), *begin, sinks);
      places.push_back({*begin, *begin + other.size()});
    }
    for (const int64_t layer : full_) spans(layer).StartAt(joined_end(), device_ref());
    return places;
  }

  Status Stretch(ThreadPool& pool, int64_t tokens) override {
    const int64_t before = size();
    if (Status status = DeviceMethod::Stretch(pool, tokens); !status.ok()) return status;
    pool.Run(static_cast<int64_t>(full_.size()), [&](int64_t i, int) {
      constexpr int64_t kRows = 64;
      DeviceSpans& of_layer = spans(full_[static_cast<size_t>(i)]);
      BandDrawer band(of_layer.spans(), options().max_span);
      for (int64_t begin = before; begin < tokens; begin += kRows) {
        const int64_t count = std::min(kRows, tokens - begin);
        of_layer.Push(begin, count, band.Draw(count).data());
      }
    });
    return {};
  }

  Status EndStep(ThreadPool& pool) override {
    if (reader_ != nullptr) {
      if (Status status = reader_->TakeStatus(); !status.ok()) return status;
    }
    Status status = DeviceMethod::EndStep(pool);
    last_ = step();
    if (step().kind == StepKind::kReread) return status;
    BandQueue::Bands bands{step().begin, step().count, coming_, nullptr};
    if (coming_ != nullptr) {
      bands.here = std::make_shared<Event>();
      bands.here->Record(context().stream);
      coming_ = nullptr;
    }
    queue_.Push(std::move(bands));
    while (queue_.size() > 1) Cut(&pool);
    return status;
  }

  void BlockAttention(int64_t layer, const Projections& p, Float16 type, void* out) override {
    if (Changes(layer)) {
      const DeviceMethod* self[] = {this};
      Choose(context().stream, layer, {&p, 1}, self);
    }
    DeviceMethod::BlockAttention(layer, p, type, out);
    if (step().kind == StepKind::kReread || options().spans == SpanSelector::kFixed || IsSliding(layer)) return;
    const int64_t rows = p.rows * kBandWidth;
    band_.Reserve(rows * kFloat);
    band_parts_.Reserve(context().shape.kv_heads * rows * kFloat);
    SpanBand(context().stream, BlockArgs(layer, p.rows, type, out), band_parts_.as<float>(), band_.as<float>());
    if (coming_ == nullptr) coming_ = queue_.Take(context().config.layers * rows * kFloat);
    Download(context().stream, coming_->as<float>() + layer * rows, band_.as<void>(), rows * kFloat);
  }

  // Layers that do not vote need nothing but the board: they choose together with the layer below that changed it last.
  bool Changes(int64_t layer) const override {
    if (!Chooses(layer)) return false;
    if (options().sharing != Sharing::kGlobal || Votes(layer)) return true;
    for (int64_t below = 0; below < layer; ++below) {
      if (Chooses(below)) return false;
    }
    return true;
  }

  bool IsSettled(int64_t layer) const override { return !Chooses(layer); }

  void BringFar(int64_t layer) const override {
    if (reader_ != nullptr && !dense_) reader_->Fill(*pool_, device_ref(), store(), layer);
  }
  bool CanBeRecorded() const override { return reader_ == nullptr; }

  void UpdateViews(Stream stream, int64_t layer, std::span<const Projections> p,
                   std::span<const DeviceMethod* const> methods) const override {
    Choose(stream, layer, p, methods);
  }

  int64_t recording() const override { return recording_ * (options().reselect + 2) + turn_; }

 protected:
  Result<Extent> PlaceViews(ThreadPool& pool, const StepRange& step) override {
    pool_ = &pool;
    const int64_t limit = step.begin - options().window;
    // Cut what decides which spans have left the window; the newest bands may still be on their way.
    const int64_t cut = limit + 2 * options().max_span + SpanCutter::kCadence;
    while (!queue_.empty() && (full_.empty() || spans(full_[0]).tokens() < cut)) Cut(&pool);
    if (step.kind == StepKind::kPromptEnd) {
      for (const int64_t layer : full_) spans(layer).ClearAsked();
    }
    bool moved = board_.bytes() < BoardBytes(step.end());
    if (moved) GrowBoard(step.end());
    most_stored_ = 0;
    for (const int64_t layer : full_) {
      moved = spans(layer).StoreUntil(limit, device_ref()) || moved;
      most_stored_ = std::max(most_stored_, spans(layer).stored());
    }
    moved = ReserveScratch(step) || moved;
    const bool caches = step.kind == StepKind::kDecode && store().spilled() && !store().has_disk();
    const bool reads = store().spilled() && store().has_disk();
    if (caches || reads) {
      if (Status status = store().MakeSlots(); !status.ok()) return status.error();
    }
    if (reads && reader_ == nullptr) reader_ = std::make_unique<FarReader>(&context(), store());
    moved = moved || caches != caches_;
    caches_ = caches;
    if (moved || recording_ == 0) recording_ = NextRecording();
    const bool prompt = step.kind == StepKind::kPrompt || step.kind == StepKind::kPromptEnd;
    dense_ = prompt && joined_end() == 0 && Recall::ReadsDensely(context().config, options(), step.end());
    SetTurn(step);
    true_positions_ = options().positions == Positions::kTrue;
    if (reader_ != nullptr && turn_ > kAllLayers) ArrangeKept();
    AdvanceViews(context().stream, store().views(), context().config.layers, static_cast<int32_t>(step.begin),
                 static_cast<int32_t>(step.end()), static_cast<int32_t>(joined_end()),
                 static_cast<int32_t>(store().host_end()), true_positions_, dense_);
    return ExtentOf(step);
  }

 private:
  static int64_t BoardBytes(int64_t tokens) { return tokens * static_cast<int64_t>(sizeof(BoardVote)); }

  ChoosingLayers Choosing() { return {layers_, chosen_begin_, chosen_at_, board_.as<BoardVote>()}; }
  DeviceSpans& spans(int64_t layer) { return layers_[static_cast<size_t>(layer)]; }
  bool IsSliding(int64_t layer) const { return context().config.IsSliding(layer); }

  // Until layers choose, they see all that there is.
  void OpenViews() {
    std::vector<LayerView> views(layers_.size());
    for (size_t layer = 0; layer < views.size(); ++layer) {
      if (IsSliding(static_cast<int64_t>(layer))) {
        views[layer].window = static_cast<int32_t>(context().config.sliding_window);
      }
    }
    store().SetViews(views);
  }

  // Whether the layer chooses in this step.
  bool Chooses(int64_t layer) const {
    if (IsSliding(layer)) return false;
    if (turn_ <= kAllLayers) return turn_ == kAllLayers;
    return (turn_ - 2 + layer) % options().reselect == 0;
  }
  // Tokens at the start that stay visible.
  int64_t sinks() const { return joined_end() > 0 ? joined_sinks_ : options().sinks; }
  bool Votes(int64_t layer) const { return voters_->layer(layer).voters > 0; }
  // The layers that choose when `layer` changes the board.
  std::vector<int64_t> ChoosingWith(int64_t layer) const {
    std::vector<int64_t> together{layer};
    const auto count = static_cast<int64_t>(layers_.size());
    for (int64_t above = layer + 1; above < count && !Changes(above); ++above) {
      if (Chooses(above)) together.push_back(above);
    }
    return together;
  }

  // While a text is decoded, layers choose anew in turn; the first token after something else is a turn of all.
  void SetTurn(const StepRange& step) {
    const bool goes_on = last_.kind == StepKind::kDecode && last_.end() == step.begin;
    turn_ = step.kind == StepKind::kDecode && goes_on ? 2 + step.begin % options().reselect : kAllLayers;
    if (most_stored_ == 0 || (dense_ && step.kind != StepKind::kPromptEnd)) turn_ = 0;
  }

  Extent ExtentOf(const StepRange& step) {
    Extent extent;
    for (const int64_t layer : full_) {
      int64_t& chosen = chosen_begin_[static_cast<size_t>(layer)];
      if (Chooses(layer) && !dense_) {
        chosen = spans(layer).local_begin();
        chosen_at_[static_cast<size_t>(layer)] = step.end();
      }
      const int64_t begin = dense_ ? 0 : chosen;
      const int64_t far = begin == 0 ? 0 : options().sinks + options().budget + kSpill;
      extent.keys = std::max(extent.keys, far + step.end() - begin);
    }
    extent.positions = true_positions_ ? step.end() : extent.keys;
    const int64_t window = context().config.sliding_window;
    extent.first = window == 0 ? step.begin : std::max<int64_t>(0, step.begin - window + 1);
    for (const int64_t layer : full_) {
      extent.first = dense_ ? 0 : std::min(extent.first, chosen_begin_[static_cast<size_t>(layer)]);
    }
    return extent;
  }

  // Some of what layers have chosen before may have gone to the file since.
  void ArrangeKept() {
    if (arranged_ == store().departures()) return;
    arranged_ = store().departures();
    for (const int64_t layer : full_) reader_->Arrange(store(), layer, true);
  }

  void GrowBoard(int64_t tokens) {
    Buffer grown(std::max(2 * board_.bytes(), BoardBytes(tokens + 65536)));
    Clear(context().stream, grown.as<void>(), grown.bytes());
    if (board_.bytes() > 0) CopyOnDevice(context().stream, grown.as<void>(), board_.as<void>(), board_.bytes());
    board_ = std::move(grown);
  }

  // Scratch of a vote. Returns whether it moved.
  bool ReserveScratch(const StepRange& step) {
    int64_t capacity = 0;
    for (const DeviceSpans& spans : layers_) capacity = std::max(capacity, spans.index().capacity);
    const int64_t rows = std::max(VoterRows(Voters::kMeans, step.count), VoterRows(Voters::kLastRows, step.count));
    const int64_t relevance = VoteScratchBytes(voters_->most(), rows, capacity);
    const int64_t queries = VoterBytes(context().shape, voters_->most(), rows);
    const bool fits =
        votes_.bytes() >= capacity * kFloat && relevance_.bytes() >= relevance && queries_.bytes() >= queries;
    votes_.Reserve(capacity * kFloat);
    relevance_.Reserve(relevance);
    queries_.Reserve(queries);
    return !fits;
  }

  bool Decodes() const { return step().kind == StepKind::kDecode; }

  // At most so many spans has the layer while what is queued now may run again.
  int64_t MostSpans(const DeviceSpans& spans) const {
    return Decodes() ? spans.index().capacity : std::max<int64_t>(1, spans.stored());
  }

  VoteArgs VoteOf(int64_t layer, const Projections& p) const {
    const DeviceSpans& spans = layers_[static_cast<size_t>(layer)];
    VoteArgs vote;
    vote.shape = context().shape;
    vote.index = spans.index();
    vote.p = p;
    // The last rows of a prompt know what is asked.
    vote.voters = step().kind == StepKind::kPrompt ? Voters::kMeans : (Decodes() ? Voters::kMean : Voters::kLastRows);
    vote.rows = VoterRows(vote.voters, p.rows);
    vote.by_entropy = options().vote_weights != VoteWeights::kUniform;
    vote.most_spans = MostSpans(spans);
    vote.queries = queries_.as<void>();
    vote.relevance = relevance_.as<void>();
    vote.asked = spans.asked();
    vote.votes = options().sharing == Sharing::kGlobal ? votes_.as<float>() : spans.totals();
    vote.highest = highest_.as<uint32_t>();
    return vote;
  }

  BoardArgs BoardOf(int64_t layer) const {
    const DeviceSpans& spans = layers_[static_cast<size_t>(layer)];
    BoardArgs board;
    board.index = spans.index();
    board.most_spans = MostSpans(spans);
    board.votes = Votes(layer) ? votes_.as<float>() : nullptr;
    board.highest = highest_.as<uint32_t>();
    board.cast = spans.cast();
    board.board = board_.as<BoardVote>();
    board.totals = spans.totals();
    return board;
  }

  ChooseArgs ChoiceOf(int64_t layer) const {
    const DeviceSpans& spans = layers_[static_cast<size_t>(layer)];
    const auto budget = static_cast<double>(options().budget);
    ChooseArgs choose;
    choose.index = spans.index();
    choose.most_spans = MostSpans(spans);
    choose.votes = spans.totals();
    choose.weights = spans.weights();
    choose.loans = spans.loans();
    choose.taken = spans.taken();
    choose.budget = static_cast<int32_t>(options().budget);
    choose.share = static_cast<int32_t>(options().persistence ? options().persistence_share * budget : 0);
    choose.lent = static_cast<int32_t>(kLent * budget);
    choose.reach = static_cast<int32_t>(options().vote_reach);
    // Tokens since the layer's last choice.
    const double since = turn_ == kAllLayers ? 1 : static_cast<double>(options().reselect);
    choose.decay =
        static_cast<float>(Decodes() ? std::pow(options().persistence_decode, since) : options().persistence_prefill);
    choose.gain = Decodes() ? static_cast<float>(1.0 - options().persistence_decode) : 1.0F;
    choose.sinks = static_cast<int32_t>(sinks());
    choose.rows = store().rows() + layer * store().most_far();
    choose.view = dense_ ? nullptr : store().views() + layer;
    choose.true_positions = true_positions_ ? 1 : 0;
    if (caches_) choose.slots = store().slots(layer);
    return choose;
  }

  // The layer's heads vote, and the layers that choose with it see from now on what all layers' votes choose. Of
  // several sequences, which all are of this kind; p: of each.
  static void Choose(Stream stream, int64_t layer, std::span<const Projections> p,
                     std::span<const DeviceMethod* const> methods) {
    std::vector<VoteArgs> votes;
    std::vector<BoardArgs> voting;
    std::vector<BoardArgs> silent;
    std::vector<ChooseArgs> choices;
    std::vector<CacheArgs> caches;
    for (size_t i = 0; i < methods.size(); ++i) {
      const auto& of = static_cast<const DeviceRecall&>(*methods[i]);
      const bool shared = of.options().sharing == Sharing::kGlobal;
      if (of.Votes(layer)) votes.push_back(of.VoteOf(layer, p[i]));
      if (!shared && !of.Votes(layer)) {
        const DeviceSpans& spans = of.layers_[static_cast<size_t>(layer)];
        Clear(stream, spans.totals(), spans.index().capacity * kFloat);
      }
      for (const int64_t other : of.ChoosingWith(layer)) {
        if (shared) (of.Votes(other) ? voting : silent).push_back(of.BoardOf(other));
        choices.push_back(of.ChoiceOf(other));
        if (const FarSlots& slots = choices.back().slots; slots.count > 0) {
          caches.push_back({of.context().shape, of.device_ref(), other, slots.tokens, slots.missing});
        }
      }
    }
    CastVotes(stream, votes);
    TallyVotes(stream, voting);
    TallyVotes(stream, silent);
    ChooseSpans(stream, choices);
    CacheFarKeys(stream, caches);
    for (const DeviceMethod* method : methods) {
      const auto& of = static_cast<const DeviceRecall&>(*method);
      if (of.reader_ == nullptr || of.dense_) continue;
      for (const int64_t other : of.ChoosingWith(layer)) of.reader_->Arrange(of.store(), other, of.Decodes());
    }
  }

  // The oldest bands that wait become spans. pool: null: on this thread.
  void Cut(ThreadPool* pool) {
    const BandQueue::Bands bands = queue_.Pop();
    const auto cut = [&](int64_t i, int) {
      const int64_t layer = full_[static_cast<size_t>(i)];
      spans(layer).Push(bands.begin, bands.count, bands.Layer(layer, options().max_span));
    };
    const auto layers = static_cast<int64_t>(full_.size());
    if (pool != nullptr) return pool->Run(layers, cut);
    for (int64_t i = 0; i < layers; ++i) cut(i, 0);
  }

  std::shared_ptr<const DeviceVoters> voters_;
  std::vector<DeviceSpans> layers_;  // of all layers; those of sliding ones stay empty
  std::vector<int64_t> full_;        // the others
  BandQueue queue_;
  std::shared_ptr<PinnedBuffer> coming_;  // bands of the current step
  std::vector<int64_t> chosen_begin_;     // [layers] where local keys begin since the layer's last choice
  std::vector<int64_t> chosen_at_;        // [layers] at which token that was; -1: none
  int64_t joined_sinks_ = 0;              // of the first joined text
  int64_t most_stored_ = 0;
  StepRange last_;
  bool dense_ = false;  // the step's queries see everything
  bool true_positions_ = true;
  bool caches_ = false;                // far keys that decoded tokens see are copied to the card
  ThreadPool* pool_ = nullptr;         // the engine's, since the first step
  std::unique_ptr<FarReader> reader_;  // from the first block on that does not fit the card, where there is a file
  int64_t arranged_ = 0;               // departures of blocks when all layers' far rows were found last
  int64_t turn_ = 0;
  int64_t recording_ = 0;
  Buffer board_;  // [tokens] votes of all layers
  Buffer highest_, votes_, relevance_, queries_, band_, band_parts_;
};

Status CheckOptions(const SessionOptions& o) {
  const auto bad = [](const char* what) -> Status {
    return Error{ErrorCode::kUnsupported, fmt::format("a CUDA device runs ltri {}; or take --device cpu", what)};
  };
  if (o.sharing != Sharing::kGlobal && o.sharing != Sharing::kLayer) return bad("with sharing global or layer");
  if (o.index != IndexVectors::kEven || o.index_vectors != kSpanVectors) return bad("with 4 even index vectors a span");
  if (o.votes != Votes::kSoftmax || o.clamp_relevance) return bad("with softmax votes of un-rotated queries");
  if (o.positions == Positions::kClamp) return bad("with positions auto, true or compact");
  if (o.max_span != kBandWidth) return bad("with spans of at most 128 tokens");
  return {};
}

}  // namespace

Result<std::unique_ptr<Method>> MakeDeviceRecall(DeviceContext* context, const SessionOptions& options) {
  if (Status status = CheckOptions(options); !status.ok()) return status.error();
  auto voters = std::make_shared<DeviceVoters>(context->stream, context->config, options);
  std::vector<DeviceSpans> layers;
  layers.reserve(static_cast<size_t>(context->config.layers));
  for (int64_t layer = 0; layer < context->config.layers; ++layer) {
    Result<std::unique_ptr<SpanCutter>> cutter = MakeSpanCutter(CutterOptions(options));
    if (!cutter.ok()) return cutter.error();
    SpanIndex index(context->config.kv_heads, context->host_heads.head_dim, context->saved, voters->kept(layer),
                    options.index_clusters);
    layers.emplace_back(context, layer, voters->layer(layer), std::move(*cutter), std::move(index));
  }
  return std::unique_ptr<Method>(
      std::make_unique<DeviceRecall>(context, options, std::move(voters), std::move(layers)));
}

}  // namespace ltri::cuda
