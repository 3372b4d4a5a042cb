#include "attention/layered_method.h"

#include <algorithm>
#include <span>

namespace ltri {
namespace {

int64_t Total(std::span<const TokenRange> ranges) {
  int64_t total = 0;
  for (const TokenRange& range : ranges) total += range.count();
  return total;
}

constexpr int64_t kCopyTasks = 4;  // that share the copy of a head group

// Asks for all lines of a run: it lies anywhere, and is too short for the hardware to see where it goes.
void Prefetch(const Half* at, int64_t halves) {
  constexpr int64_t kLine = 64 / sizeof(Half);
  for (int64_t i = 0; i < halves; i += kLine) __builtin_prefetch(at + i);
}

// Copies a share of `ranges`: keys, and behind those of all ranges the values. to: [2, tokens, head_dim].
void CopyRanges(const KvStore& store, int64_t kv_head, const std::vector<TokenRange>& ranges, int64_t share, Half* to) {
  const auto count = static_cast<int64_t>(ranges.size());
  const std::span<const TokenRange> before = {ranges.data(), static_cast<size_t>(share * count / kCopyTasks)};
  const std::span<const TokenRange> mine = {ranges.data() + before.size(),
                                            static_cast<size_t>((share + 1) * count / kCopyTasks) - before.size()};
  thread_local std::vector<KeyRun> runs;
  runs.clear();
  for (const TokenRange& range : mine) store.AppendRuns(kv_head, range.begin, range.end, 0, &runs);
  const int64_t d = store.head_dim();
  Half* keys = to + d * Total(before);
  Half* values = keys + d * Total(ranges);
  for (size_t r = 0; r < runs.size(); ++r) {
    if (r + 1 < runs.size()) {
      Prefetch(runs[r + 1].keys, runs[r + 1].count * d);
      Prefetch(runs[r + 1].values, runs[r + 1].count * d);
    }
    keys = std::copy_n(runs[r].keys, runs[r].count * d, keys);
    values = std::copy_n(runs[r].values, runs[r].count * d, values);
  }
}

MethodContext WithTier(MethodContext context) {
  if (context.tier == nullptr) context.tier = Tier::Create();
  return context;
}

}  // namespace

LayeredMethod::LayeredMethod(const MethodContext& context, const SessionOptions& options)
    : context_(WithTier(context)),
      options_(options),
      beside_(context_.tier),
      views_(static_cast<size_t>(context.config->layers)),
      copies_(static_cast<size_t>(context.config->layers)),
      kept_from_(static_cast<size_t>(context.config->layers), 0) {
  stores_.assign(static_cast<size_t>(config().layers), KvStore(config().kv_heads, config().head_dim, context_.tier));
}

Positions LayeredMethod::ResolvePositions() const {
  return options_.positions == Positions::kAuto ? Positions::kCompact : options_.positions;
}

Status LayeredMethod::BeginStep(ThreadPool& /*pool*/, const StepRange& step) {
  step_ = step;
  return {};
}

Status LayeredMethod::EndStep(ThreadPool& /*pool*/) {
  if (step_.kind != StepKind::kReread) size_ = std::max(size_, step_.end());
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (!config().IsSliding(layer)) continue;
    int64_t& from = kept_from_[static_cast<size_t>(layer)];
    from = std::max(from, size_ - config().sliding_window - kSlidingSlack);
    store(layer).Drop(0, from);
  }
  if (!tier()->limited()) return {};
  // What is read again may be written again: it stays open.
  for (KvStore& store : stores_) store.Seal(size_ - SecondReading());
  beside_.Set(BesideBlocks());
  return tier()->Shrink();
}

Status LayeredMethod::Attend(ThreadPool& pool, int64_t layer, const float* q, const float* k, const float* v,
                             float* out) {
  std::vector<Block*> written;
  if (tier()->needs_holds()) store(layer).AppendBlocks(step_.begin, step_.end(), &written);
  const Result<BlockHold> writing = Hold(pool, std::move(written));
  if (!writing.ok()) return writing.error();
  store(layer).Write(step_.begin, step_.count, k, v);
  if (config().IsSliding(layer)) return AttendSliding(pool, layer, q, out);
  View& view = views_[static_cast<size_t>(layer)];
  if (Status status = ChooseView(pool, layer, q, &view); !status.ok()) return status;
  const Result<BlockHold> reading = HoldView(pool, layer, view);
  if (!reading.ok()) return reading.error();
  const AttendArgs args = Arrange(pool, layer, q, view);
  const bool statistics = WantsStatistics();
  if (statistics) lse_.resize(static_cast<size_t>(config().heads * step_.count));
  ltri::Attend(pool, args, out, statistics ? lse_.data() : nullptr);
  if (statistics) Attended(pool, layer, args, lse_.data());
  return {};
}

Status LayeredMethod::AttendSliding(ThreadPool& pool, int64_t layer, const float* q, float* out) {
  View& view = views_[static_cast<size_t>(layer)];
  // Only distances matter within a window, so positions may start at 0 whatever the length of the text.
  view.SeeSinks(0, std::max(joined_end_, step_.begin - config().sliding_window + 1), Positions::kCompact);
  const Result<BlockHold> reading = HoldView(pool, layer, view);
  if (!reading.ok()) return reading.error();
  AttendArgs args = Arrange(pool, layer, q, view);
  args.sliding_window = config().sliding_window;
  ltri::Attend(pool, args, out, nullptr);
  return {};
}

// Brings what a view shows into RAM; far tokens that were copied side by side are there.
Result<BlockHold> LayeredMethod::HoldView(ThreadPool& pool, int64_t layer, const View& view) {
  std::vector<Block*> blocks;
  if (!tier()->needs_holds()) return BlockHold();
  const FarCopy& copy = copies_[static_cast<size_t>(layer)];
  const bool copied = view.lasting && step_.kind == StepKind::kDecode && copy.ranges == view.far;
  for (size_t list = 0; list < view.far.size() && !copied; ++list) {
    for (const TokenRange& range : view.far[list]) store(layer).AppendBlocks(range.begin, range.end, &blocks);
  }
  store(layer).AppendBlocks(view.local_begin, step_.end(), &blocks);
  return Hold(pool, std::move(blocks));
}

AttendArgs LayeredMethod::Arrange(ThreadPool& pool, int64_t layer, const float* q, const View& view) {
  const int64_t heads = config().heads;
  const int64_t per_kv = heads / config().kv_heads;
  const bool clamp = view.positions == Positions::kClamp;
  int64_t most_far = 0;
  for (const std::vector<TokenRange>& ranges : view.far) most_far = std::max(most_far, Total(ranges));
  // Where the first local key stands: consecutive numbering ends the far keys there.
  int64_t local_position = view.local_begin;
  if (clamp) local_position = 0;
  if (view.positions == Positions::kCompact) local_position = most_far;

  const auto lists = static_cast<int64_t>(view.far.size());
  const int64_t group_count = lists == heads && lists > config().kv_heads ? heads : config().kv_heads;
  const int64_t group_heads = heads / group_count;
  groups_.resize(static_cast<size_t>(group_count));
  CopyFar(pool, layer, view);
  const FarCopy& copy = copies_[static_cast<size_t>(layer)];
  const Half* copied = copy.ranges.empty() ? nullptr : copy.halves.data();
  for (int64_t g = 0; g < group_count; ++g) {
    HeadGroup& group = groups_[static_cast<size_t>(g)];
    group.first_head = g * group_heads;
    group.heads = group_heads;
    group.far.clear();
    group.local.clear();
    const int64_t kv_head = group.first_head / per_kv;
    if (lists > 0) {
      const std::vector<TokenRange>& ranges = view.far[static_cast<size_t>(lists == 1 ? 0 : g)];
      const int64_t total = Total(ranges);
      int64_t position = local_position - total;
      for (const TokenRange& range : ranges) {
        const int64_t at = view.positions == Positions::kTrue ? range.begin : (clamp ? 0 : position);
        if (copied == nullptr) {
          store(layer).AppendRuns(kv_head, range.begin, range.end, at, &group.far);
        } else if (view.positions == Positions::kCompact && !group.far.empty()) {
          group.far.back().count += range.count();
        } else {
          group.far.push_back({copied, copied + total * config().head_dim, range.count(), at});
        }
        if (copied != nullptr) copied += range.count() * config().head_dim;
        position += range.count();
      }
      if (copied != nullptr) copied += total * config().head_dim;
    }
    store(layer).AppendRuns(kv_head, view.local_begin, step_.end(), local_position, &group.local);
  }
  AttendArgs args;
  args.queries = step_.count;
  args.heads = heads;
  args.head_dim = config().head_dim;
  args.scale = config().attention_scale;
  args.q = q;
  args.query_position = local_position + step_.begin - view.local_begin;
  args.far_distance = clamp ? options_.window : -1;
  int64_t reach = args.query_position + step_.count;
  if (clamp) reach = std::max(reach, args.far_distance + 1);
  args.rope = &context_.ropes->ForLayer(layer, reach);
  args.groups = groups_;
  return args;
}

// Copies the far tokens that decoded tokens to come will see too.
void LayeredMethod::CopyFar(ThreadPool& pool, int64_t layer, const View& view) {
  FarCopy& copy = copies_[static_cast<size_t>(layer)];
  if (step_.kind != StepKind::kDecode || !view.lasting) return copy.ranges.clear();
  if (copy.ranges == view.far) return;
  copy.ranges = view.far;
  const auto lists = static_cast<int64_t>(view.far.size());
  const auto groups = static_cast<int64_t>(groups_.size());
  const int64_t d = config().head_dim;
  int64_t total = 0;
  std::vector<int64_t> begins;  // [groups] where each begins, in tokens
  for (int64_t g = 0; g < groups; ++g) {
    begins.push_back(total);
    total += Total(view.far[static_cast<size_t>(lists == 1 ? 0 : g)]);
  }
  copy.halves.resize(static_cast<size_t>(2 * d * total));
  pool.Run(groups * kCopyTasks, [&](int64_t task, int) {
    const int64_t g = task / kCopyTasks;
    const std::vector<TokenRange>& ranges = view.far[static_cast<size_t>(lists == 1 ? 0 : g)];
    Half* keys = copy.halves.data() + 2 * d * begins[static_cast<size_t>(g)];
    CopyRanges(store(layer), g * config().kv_heads / groups, ranges, task % kCopyTasks, keys);
  });
}

bool LayeredMethod::Truncate(int64_t tokens) {
  if (tokens >= size_) return true;
  if (tokens < joined_end_) return false;
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    const int64_t from = kept_from_[static_cast<size_t>(layer)];
    if (from > 0 && tokens < from + config().sliding_window) return false;
  }
  for (KvStore& store : stores_) store.Truncate(tokens);
  for (FarCopy& copy : copies_) copy = {};
  size_ = tokens;
  return true;
}

Status LayeredMethod::StretchStores(ThreadPool& pool, int64_t tokens, int64_t first) {
  const int64_t before = size_;
  if (tokens <= before) return {};
  std::vector<Block*> repeated;
  for (const KvStore& store : stores_) store.AppendBlocks(0, before, &repeated);
  const Result<BlockHold> hold = Hold(pool, std::move(repeated));
  if (!hold.ok()) return hold.error();
  std::vector<Status> done(stores_.size());
  pool.Run(config().layers, [&](int64_t layer, int) {
    KvStore& kept = store(layer);
    Status& status = done[static_cast<size_t>(layer)];
    kept.Truncate(before);
    if (!config().IsSliding(layer)) {
      status = kept.Stretch(tokens, first);
      return;
    }
    int64_t& from = kept_from_[static_cast<size_t>(layer)];
    from = std::max(from, tokens - config().sliding_window - kSlidingSlack);
    status = kept.Stretch(tokens, from);
    kept.Drop(0, std::min(from, before));
  });
  for (const Status& status : done) {
    if (!status.ok()) return status;
  }
  size_ = tokens;
  return {};
}

int64_t LayeredMethod::JoinStores(const LayeredMethod& text) {
  int64_t begin = 0;
  for (int64_t layer = 0; layer < config().layers; ++layer) begin = store(layer).AppendStore(text.store(layer));
  // The next text, joined or not, begins with a chunk of its own.
  size_ = joined_end_ = stores_.front().size();  // the next text begins with a chunk of its own
  return begin;
}

Status LayeredMethod::Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) {
  state->Put(size_);
  state->Put(joined_end_);
  state->Put(step_.begin);
  state->Put(step_.count);
  state->Put(static_cast<int32_t>(step_.kind));
  state->PutAll(kept_from_);
  for (KvStore& store : stores_) {
    if (Status status = store.Save(file, state); !status.ok()) return status;
  }
  return {};
}

Status LayeredMethod::Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) {
  constexpr int64_t kLongest = int64_t{1} << 40;  // tokens
  size_ = state->GetWithin<int64_t>(0, kLongest, "the number of tokens");
  joined_end_ = state->GetWithin<int64_t>(0, size_, "the end of joined texts");
  step_.begin = state->GetWithin<int64_t>(0, kLongest, "the last step's begin");
  step_.count = state->GetWithin<int64_t>(0, kLongest, "the last step's length");
  step_.kind = static_cast<StepKind>(state->GetWithin<int32_t>(0, static_cast<int32_t>(StepKind::kDecode), "a step"));
  kept_from_ = state->GetAll<int64_t>(config().layers, "what sliding layers keep");
  for (const int64_t from : kept_from_) state->Check(from >= 0 && from <= size_, "a sliding layer keeps no token");
  for (KvStore& store : stores_) {
    store.Restore(file, state);
    state->Check(store.size() >= size_, "a layer remembers fewer tokens than the text has");
  }
  for (int64_t layer = 0; layer < config().layers && state->ok(); ++layer) {
    const int64_t window = size_ - config().sliding_window - SecondReading();
    const std::vector<TokenRange> needed =
        config().IsSliding(layer) ? std::vector<TokenRange>{{std::max(joined_end_, window), size_}} : Needed();
    for (const TokenRange& range : needed) {
      state->Check(store(layer).Has(range.begin, range.end), "a layer lacks tokens that it needs");
    }
  }
  return state->status();
}

std::vector<TokenRange> LayeredMethod::Visible(int64_t layer, int64_t head) const {
  const View& view = views_[static_cast<size_t>(layer)];
  std::vector<TokenRange> visible;
  if (!view.far.empty()) {
    const auto lists = static_cast<int64_t>(view.far.size());
    visible = view.far[static_cast<size_t>(head * lists / config().heads)];
  }
  int64_t begin = view.local_begin;
  if (config().IsSliding(layer)) begin = std::max(begin, step_.end() - config().sliding_window);
  if (begin < step_.end()) visible.push_back({begin, step_.end()});
  return visible;
}

MemoryUse LayeredMethod::memory() const {
  MemoryUse use;
  for (const KvStore& store : stores_) {
    use.keys_and_values += store.bytes();
    use.on_disk += store.bytes_on_disk();
  }
  for (const FarCopy& copy : copies_)
    use.keys_and_values += static_cast<int64_t>(copy.halves.capacity() * sizeof(Half));
  return use;
}

}  // namespace ltri
