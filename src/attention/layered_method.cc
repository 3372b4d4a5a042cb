#include "attention/layered_method.h"

#include <algorithm>

namespace ltri {
namespace {

int64_t Total(const std::vector<TokenRange>& ranges) {
  int64_t total = 0;
  for (const TokenRange& range : ranges) total += range.count();
  return total;
}

}  // namespace

LayeredMethod::LayeredMethod(const MethodContext& context, const SessionOptions& options)
    : context_(context),
      options_(options),
      stores_(static_cast<size_t>(context.config->layers), KvStore(context.config->kv_heads, context.config->head_dim)),
      views_(static_cast<size_t>(context.config->layers)),
      copies_(static_cast<size_t>(context.config->layers)),
      kept_from_(static_cast<size_t>(context.config->layers), 0) {}

Positions LayeredMethod::ResolvePositions(int64_t tokens) const {
  if (options_.positions != Positions::kAuto) return options_.positions;
  return tokens <= config().trained_context ? Positions::kTrue : Positions::kCompact;
}

void LayeredMethod::BeginStep(const StepRange& step) { step_ = step; }

void LayeredMethod::EndStep(ThreadPool& /*pool*/) {
  if (step_.kind != StepKind::kReread) size_ = std::max(size_, step_.end());
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    if (!config().IsSliding(layer)) continue;
    int64_t& from = kept_from_[static_cast<size_t>(layer)];
    from = std::max(from, size_ - config().sliding_window - kSlidingSlack);
    store(layer).Drop(0, from);
  }
}

void LayeredMethod::Attend(ThreadPool& pool, int64_t layer, const float* q, const float* k, const float* v,
                           float* out) {
  store(layer).Write(step_.begin, step_.count, k, v);
  if (config().IsSliding(layer)) return AttendSliding(pool, layer, q, out);
  View& view = views_[static_cast<size_t>(layer)];
  ChooseView(pool, layer, q, &view);
  const AttendArgs args = Arrange(pool, layer, q, view);
  if (!WantsStatistics()) return ltri::Attend(pool, args, out, nullptr);
  lse_.resize(static_cast<size_t>(config().heads * step_.count));
  ltri::Attend(pool, args, out, lse_.data());
  Attended(pool, layer, args, lse_.data());
}

void LayeredMethod::AttendSliding(ThreadPool& pool, int64_t layer, const float* q, float* out) {
  View& view = views_[static_cast<size_t>(layer)];
  // Only distances matter within a window, so positions may start at 0 whatever the length of the text.
  view.SeeSinks(0, std::max<int64_t>(0, step_.begin - config().sliding_window + 1), Positions::kCompact);
  AttendArgs args = Arrange(pool, layer, q, view);
  args.sliding_window = config().sliding_window;
  ltri::Attend(pool, args, out, nullptr);
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
  const Half* copied = copy.filled ? copy.halves.data() : nullptr;
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

// Copies the far tokens when a decoded token sees the same ones as the one before.
void LayeredMethod::CopyFar(ThreadPool& pool, int64_t layer, const View& view) {
  FarCopy& copy = copies_[static_cast<size_t>(layer)];
  const bool same = step_.kind == StepKind::kDecode && copy.ranges == view.far;
  if (same && copy.filled) return;
  copy.filled = same && !view.far.empty();
  if (step_.kind != StepKind::kDecode) {
    copy.ranges.clear();
    return;
  }
  if (!copy.filled) {
    copy.ranges = view.far;
    return;
  }
  const auto lists = static_cast<int64_t>(view.far.size());
  const int64_t d = config().head_dim;
  const auto groups = static_cast<int64_t>(groups_.size());
  std::vector<int64_t> begins{0};
  for (int64_t g = 0; g < groups; ++g) {
    begins.push_back(begins.back() + 2 * d * Total(view.far[static_cast<size_t>(lists == 1 ? 0 : g)]));
  }
  copy.halves.resize(static_cast<size_t>(begins.back()));
  pool.Run(groups, [&](int64_t g, int) {
    const std::vector<TokenRange>& ranges = view.far[static_cast<size_t>(lists == 1 ? 0 : g)];
    Half* keys = copy.halves.data() + begins[static_cast<size_t>(g)];
    Half* values = keys + d * Total(ranges);
    std::vector<KeyRun> runs;
    for (const TokenRange& range : ranges) {
      store(layer).AppendRuns(g * config().kv_heads / groups, range.begin, range.end, 0, &runs);
    }
    for (const KeyRun& run : runs) {
      keys = std::copy_n(run.keys, run.count * d, keys);
      values = std::copy_n(run.values, run.count * d, values);
    }
  });
}

bool LayeredMethod::Truncate(int64_t tokens) {
  if (tokens >= size_) return true;
  for (int64_t layer = 0; layer < config().layers; ++layer) {
    const int64_t from = kept_from_[static_cast<size_t>(layer)];
    if (from > 0 && tokens < from + config().sliding_window) return false;
  }
  for (KvStore& store : stores_) store.Truncate(tokens);
  for (FarCopy& copy : copies_) copy = {};
  size_ = tokens;
  return true;
}

void LayeredMethod::StretchStores(ThreadPool& pool, int64_t tokens, int64_t first) {
  const int64_t before = size_;
  if (tokens <= before) return;
  pool.Run(config().layers, [&](int64_t layer, int) {
    KvStore& kept = store(layer);
    kept.Truncate(before);
    if (!config().IsSliding(layer)) return kept.Stretch(tokens, first);
    int64_t& from = kept_from_[static_cast<size_t>(layer)];
    from = std::max(from, tokens - config().sliding_window - kSlidingSlack);
    kept.Stretch(tokens, from);
    kept.Drop(0, std::min(from, before));
  });
  size_ = tokens;
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
  for (const KvStore& store : stores_) use.keys_and_values += store.bytes();
  for (const FarCopy& copy : copies_)
    use.keys_and_values += static_cast<int64_t>(copy.halves.capacity() * sizeof(Half));
  return use;
}

}  // namespace ltri
