#include "memory/span_memory.h"

#include <algorithm>

namespace ltri {
namespace {

// Most keys that the mean is taken over.
constexpr int64_t kMeanTokens = 256;

}  // namespace

SpanMemory::SpanMemory(std::unique_ptr<SpanCutter> cutter, const IndexRule& rule, int64_t heads, int64_t kv_heads,
                       std::shared_ptr<Tier> tier, SpanIndex index)
    : cutter_(std::move(cutter)),
      rule_(rule),
      heads_(heads),
      kv_heads_(kv_heads),
      head_dim_(index.head_dim()),
      tier_(std::move(tier)),
      index_(std::move(index)),
      received_(ltri::NeedsReceived(rule) ? static_cast<size_t>(heads) : 0) {}

SpanMemory::SpanMemory(const SpanMemory& other)
    : cutter_(other.cutter_->Clone()),
      rule_(other.rule_),
      heads_(other.heads_),
      kv_heads_(other.kv_heads_),
      head_dim_(other.head_dim_),
      tier_(other.tier_),
      spans_(other.spans_),
      index_(other.index_),
      directory_(other.directory_),
      received_begin_(other.received_begin_),
      received_(other.received_) {}

void SpanMemory::Push(int64_t begin, int64_t count, std::span<const float> band, int64_t width) {
  const int64_t sinks = cutter_->options().sinks;
  for (int64_t i = std::max<int64_t>(0, sinks - begin); i < count; ++i) {
    cutter_->Push(band.empty() ? band : band.subspan(static_cast<size_t>(i * width), static_cast<size_t>(width)));
  }
  for (const Span& span : cutter_->TakeCommitted()) spans_.Append(span);
}

void SpanMemory::AddReceived(int64_t begin, int64_t count, std::span<const float> received) {
  for (int64_t h = 0; h < heads_; ++h) {
    std::vector<float>& sums = received_[static_cast<size_t>(h)];
    // Negative while the text is shorter than the sinks, which no span holds.
    const auto end = static_cast<size_t>(std::max<int64_t>(0, begin + count - received_begin_));
    if (sums.size() < end) sums.resize(end, 0.0F);
    for (int64_t i = std::max<int64_t>(0, received_begin_ - begin); i < count; ++i) {
      sums[static_cast<size_t>(begin + i - received_begin_)] += received[static_cast<size_t>(h * count + i)];
    }
  }
}

// How many keys the mean is taken over. A window is at least twice the longest span, so these exist before the first
// span of a long text is stored, and how the prompt was split into blocks does not matter.
int64_t SpanMemory::MeanTokens() const { return std::min(kMeanTokens, 2 * cutter_->options().max_span); }

void SpanMemory::FixMean(const KvStore& store) {
  const int64_t sinks = first_token();
  const int64_t count = std::clamp<int64_t>(store.size() - sinks, 0, MeanTokens());
  std::vector<float> mean;
  std::vector<float> key(static_cast<size_t>(head_dim_));
  for (int64_t head = 0; head < index_.heads(); ++head) {
    std::vector<float> sum(static_cast<size_t>(head_dim_), 0.0F);
    for (int64_t t = sinks; t < sinks + count; ++t) {
      store.CopyKey(head * kv_heads_ / index_.heads(), t, key.data());
      for (size_t j = 0; j < key.size(); ++j) sum[j] += key[j];
    }
    for (float& value : sum) value /= static_cast<float>(std::max<int64_t>(1, count));
    mean.insert(mean.end(), sum.begin(), sum.end());
  }
  index_.SetMean(std::move(mean));
}

void SpanMemory::StoreUntil(int64_t limit, const KvStore& store) {
  for (auto next = static_cast<size_t>(index_.spans()); next < spans().size() && spans()[next].end <= limit; ++next) {
    if (!index_.has_mean()) FixMean(store);
    Index(spans()[next], store);
  }
  const int64_t unneeded = local_begin() - received_begin_;
  if (received_.empty() || unneeded <= 0) return;
  for (std::vector<float>& sums : received_) {
    sums.erase(sums.begin(), sums.begin() + std::min(unneeded, static_cast<int64_t>(sums.size())));
  }
  received_begin_ += unneeded;
}

void SpanMemory::AppendBlocks(int64_t limit, const KvStore& store, std::vector<Block*>* blocks) const {
  const auto next = static_cast<size_t>(index_.spans());
  if (next == spans().size() || spans()[next].end > limit) return;
  if (!index_.has_mean()) store.AppendBlocks(first_token(), first_token() + MeanTokens(), blocks);
  store.AppendBlocks(spans()[next].begin, limit, blocks);
}

void SpanMemory::Finish(const KvStore& store) {
  cutter_->CutRest();
  for (const Span& span : cutter_->TakeCommitted()) spans_.Append(span);
  StoreUntil(cutter_->tokens(), store);
  index_.SealAll();
}

void SpanMemory::Join(const SpanMemory& other, const KvStore& other_store, int64_t begin) {
  const auto add = [&](Span span) {
    span.begin += begin;
    span.end += begin;
    spans_.Append(span);
    directory_.Append(span);
  };
  const Span sinks = {.begin = 0, .end = std::min(other.first_token(), other_store.size())};
  if (begin > 0 && sinks.end > 0) {
    SpanIndex index = index_.Empty();
    if (other.index_.has_mean()) {
      index.SetMean(*other.index_.means().front());
    } else {
      index.SetMean(std::vector<float>(static_cast<size_t>(index.heads() * head_dim_), 0.0F));
    }
    int64_t count = 0;
    vectors_.clear();
    for (int64_t head = 0; head < index.heads(); ++head) AppendVectors(sinks, head, other_store, &count);
    index.Append(vectors_.data(), count);
    index.SealAll();
    index_.AppendIndex(index);
    add(sinks);
  }
  for (const Span& span : other.stored()) add(span);
  index_.AppendIndex(other.index_);
}

void SpanMemory::StartAt(int64_t first) {
  SpanCutterOptions options = cutter_->options();
  options.sinks = first;
  cutter_ = std::move(*MakeSpanCutter(options));  // they were good for the cutter before
  received_begin_ = received_.empty() ? 0 : first;
}

// The keys of `span` that head `head` of the index keeps, appended to vectors_.
void SpanMemory::AppendVectors(const Span& span, int64_t head, const KvStore& store, int64_t* count) {
  const int64_t kv_head = head * kv_heads_ / index_.heads();
  const auto length = static_cast<size_t>(span.length());
  std::vector<float> received;
  if (!received_.empty()) {
    received.assign(length, 0.0F);
    const int64_t per_index = heads_ / index_.heads();
    for (int64_t h = head * per_index; h < (head + 1) * per_index; ++h) {
      const std::vector<float>& sums = received_[static_cast<size_t>(h)];
      for (size_t i = 0; i < length; ++i) {
        const auto at = static_cast<size_t>(span.begin - received_begin_) + i;
        if (at < sums.size()) received[i] += sums[at];
      }
    }
  }
  std::vector<int32_t> offsets;
  ChooseIndexTokens(rule_, span.length(), span.confidence, received, &offsets);
  const bool average = rule_.kind == IndexVectors::kMean4;
  *count = average ? 1 : static_cast<int64_t>(offsets.size());
  const auto d = static_cast<size_t>(head_dim_);
  size_t at = vectors_.size();
  vectors_.resize(at + static_cast<size_t>(*count) * d, 0.0F);
  std::vector<float> key(d);
  for (const int32_t offset : offsets) {
    store.CopyKey(kv_head, span.begin + offset, key.data());
    const float share = average ? 1.0F / static_cast<float>(offsets.size()) : 1.0F;
    for (size_t j = 0; j < d; ++j) vectors_[at + j] += share * key[j];
    if (!average) at += d;
  }
}

void SpanMemory::Index(const Span& span, const KvStore& store) {
  vectors_.clear();
  int64_t count = 0;
  for (int64_t head = 0; head < index_.heads(); ++head) AppendVectors(span, head, store, &count);
  index_.Append(vectors_.data(), count);
  directory_.Append(span);
}

Status SpanMemory::Truncate(int64_t tokens, int64_t window_begin) {
  const int64_t last = std::min(tokens, window_begin);
  const int64_t stored =
      std::partition_point(spans().begin(), spans().end(), [last](const Span& span) { return span.end <= last; }) -
      spans().begin();
  if (Status status = index_.Truncate(std::min(stored, index_.spans())); !status.ok()) return status;
  spans_.Truncate(tokens, index_.spans());
  directory_.Truncate(this->stored());
  cutter_->Truncate(tokens, spans().empty() ? 0 : spans().back().end);
  const int64_t begin = std::min(received_begin_, local_begin());
  for (std::vector<float>& sums : received_) {
    sums.resize(static_cast<size_t>(
        std::max<int64_t>(0, std::min<int64_t>(static_cast<int64_t>(sums.size()), tokens - received_begin_))));
    // What was received before was let go when the spans were stored: it counts as nothing.
    sums.insert(sums.begin(), static_cast<size_t>(received_begin_ - begin), 0.0F);
  }
  if (!received_.empty()) received_begin_ = begin;
  return {};
}

int64_t SpanMemory::BesideBlocks() const { return index_.BesideBlocks() + directory_.bytes() + spans_.bytes(); }

}  // namespace ltri
