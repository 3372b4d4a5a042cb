#include "memory/span_index.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numeric>

#include "memory/cluster_vectors.h"
#include "ops/quantize.h"

namespace ltri {
namespace {

// The order that sorts `keys`, equal ones as they come.
std::vector<int32_t> SortedOrder(std::span<const int32_t> keys) {
  std::vector<int32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return keys[static_cast<size_t>(a)] < keys[static_cast<size_t>(b)]; });
  return order;
}

}  // namespace

SpanIndex::SpanIndex(int64_t heads, int64_t head_dim, std::shared_ptr<Tier> tier, std::vector<uint8_t> kept,
                     bool clustered)
    : heads_(heads),
      head_dim_(head_dim),
      tier_(std::move(tier)),
      clustered_(clustered),
      head_(static_cast<size_t>(heads)) {
  kept.resize(static_cast<size_t>(heads), kept.empty() ? 1 : 0);
  for (const uint8_t keep : kept) kept_.push_back(keep != 0 ? kept_heads_++ : -1);
}

SpanIndex SpanIndex::Empty() const {
  std::vector<uint8_t> kept;
  for (const int64_t number : kept_) kept.push_back(number >= 0 ? 1 : 0);
  return {heads_, head_dim_, tier_, std::move(kept), clustered_};
}

void SpanIndex::Append(const float* vectors, int64_t count) {
  std::vector<float> centred(static_cast<size_t>(head_dim_));
  const auto owner = static_cast<int32_t>(spans());
  for (int64_t h = 0; h < heads_; ++h, vectors += count * head_dim_) {
    if (kept(h) < 0) continue;
    Head& head = head_[static_cast<size_t>(h)];
    const float* mean = means_.back()->data() + h * head_dim_;
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t j = 0; j < head_dim_; ++j) centred[static_cast<size_t>(j)] = vectors[i * head_dim_ + j] - mean[j];
      const size_t at = head.vectors.size();
      head.vectors.resize(at + static_cast<size_t>(head_dim_));
      head.scales.push_back(QuantizeVector(centred.data(), head_dim_, head.vectors.data() + at));
      head.owners.push_back(owner);
    }
  }
  open_counts_.push_back(static_cast<int32_t>(count));
  open_vectors_ += count;
}

void SpanIndex::AppendNumbers(const int8_t* numbers, const float* scales, int64_t count) {
  const auto owner = static_cast<int32_t>(spans());
  for (int64_t h = 0; h < heads_; ++h) {
    if (kept(h) < 0) continue;
    Head& head = head_[static_cast<size_t>(h)];
    head.vectors.insert(head.vectors.end(), numbers, numbers + count * head_dim_);
    head.scales.insert(head.scales.end(), scales, scales + count);
    head.owners.insert(head.owners.end(), static_cast<size_t>(count), owner);
    numbers += count * head_dim_;
    scales += count;
  }
  open_counts_.push_back(static_cast<int32_t>(count));
  open_vectors_ += count;
}

void SpanIndex::Seal() {
  if (!clustered_) return;
  while (open_vectors_ >= kSegment) {
    // The first span whose vectors complete the segment ends it.
    int64_t spans = 0;
    for (int64_t count = 0; count < kSegment; ++spans) count += open_counts_[static_cast<size_t>(spans)];
    SealFront(spans);
  }
}

void SpanIndex::SealAll() {
  Seal();
  if (!open_counts_.empty()) SealFront(static_cast<int64_t>(open_counts_.size()));
}

void SpanIndex::SealFront(int64_t spans) {
  const int64_t count = std::accumulate(open_counts_.begin(), open_counts_.begin() + spans, int64_t{0});
  assert(count < IndexSegment::kMostVectors);
  auto segment = std::make_shared<IndexSegment>();
  segment->spans = spans;
  segment->vectors = count;
  segment->head_dim = head_dim_;
  segment->owners.resize(static_cast<size_t>(kept_heads_));
  if (kept_heads_ > 0) {
    segment->block = tier_->Make(kept_heads_ * IndexSegment::HeadBytes(count, head_dim_), BlockUse::kIndex);
  }
  for (int64_t h = 0; h < heads_; ++h) {
    if (kept(h) >= 0) SealHead(h, count, segment.get());
  }
  if (segment->block != nullptr) tier_->Seal(*segment->block);
  sealed_.push_back(
      {.segment = std::move(segment), .first_span = open_first_span_, .part = static_cast<int32_t>(means_.size()) - 1});
  open_counts_.erase(open_counts_.begin(), open_counts_.begin() + spans);
  open_first_span_ += spans;
  open_vectors_ -= count;
}

// Moves the first `count` open vectors of a head into a segment, cluster by cluster.
void SpanIndex::SealHead(int64_t h, int64_t count, IndexSegment* segment) {
  Head& head = head_[static_cast<size_t>(h)];
  const auto d = static_cast<size_t>(head_dim_);
  std::vector<float> floats(static_cast<size_t>(count) * d);
  for (size_t v = 0; v < static_cast<size_t>(count); ++v) {
    for (size_t j = 0; j < d; ++j) floats[v * d + j] = static_cast<float>(head.vectors[v * d + j]) * head.scales[v];
  }
  const int64_t clusters = std::max<int64_t>(1, count / kClusterSize);
  const std::vector<int32_t> cluster = ClusterVectors(floats.data(), count, head_dim_, clusters);
  const std::vector<int32_t> order = SortedOrder(cluster);
  int8_t* numbers = segment->Numbers(kept(h));
  float* scales = segment->Scales(kept(h));
  std::vector<uint16_t>& owners = segment->owners[static_cast<size_t>(kept(h))];
  const float spans_a_vector = static_cast<float>(segment->spans) / static_cast<float>(count);
  std::vector<float> mean(d);
  for (size_t from = 0; from < order.size();) {
    const int32_t which = cluster[static_cast<size_t>(order[from])];
    size_t to = from;
    std::fill(mean.begin(), mean.end(), 0.0F);
    for (; to < order.size() && cluster[static_cast<size_t>(order[to])] == which; ++to) {
      const auto v = static_cast<size_t>(order[to]);
      numbers = std::copy_n(head.vectors.begin() + static_cast<int64_t>(v * d), d, numbers);
      scales[to] = head.scales[v];
      owners.push_back(static_cast<uint16_t>(head.owners[v] - open_first_span_));
      for (size_t j = 0; j < d; ++j) mean[j] += floats[v * d + j];
    }
    for (float& value : mean) value /= static_cast<float>(to - from);
    const size_t at = head.centroids.size();
    head.centroids.resize(at + d);
    head.centroid_scales.push_back(QuantizeVector(mean.data(), head_dim_, head.centroids.data() + at));
    head.cluster_log_spans.push_back(std::log(std::max(1.0F, static_cast<float>(to - from) * spans_a_vector)));
    head.clusters.push_back(
        {static_cast<int32_t>(sealed_.size()), static_cast<uint16_t>(from), static_cast<uint16_t>(to)});
    from = to;
  }
  head.vectors.erase(head.vectors.begin(), head.vectors.begin() + count * head_dim_);
  head.scales.erase(head.scales.begin(), head.scales.begin() + count);
  head.owners.erase(head.owners.begin(), head.owners.begin() + count);
}

void SpanIndex::AppendIndex(const SpanIndex& other) {
  assert(open_counts_.empty() && other.open_counts_.empty());
  const auto segments = static_cast<int32_t>(sealed_.size());
  const auto parts = static_cast<int32_t>(means_.size());
  for (Sealed sealed : other.sealed_) {
    sealed.first_span += open_first_span_;
    sealed.part += parts;
    sealed_.push_back(std::move(sealed));
  }
  open_first_span_ += other.open_first_span_;
  means_.insert(means_.end(), other.means_.begin(), other.means_.end());
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  for (size_t h = 0; h < head_.size(); ++h) {
    for (Cluster cluster : other.head_[h].clusters) {
      cluster.segment += segments;
      head_[h].clusters.push_back(cluster);
    }
    append(head_[h].centroids, other.head_[h].centroids);
    append(head_[h].centroid_scales, other.head_[h].centroid_scales);
    append(head_[h].cluster_log_spans, other.head_[h].cluster_log_spans);
  }
}

// The last segment's vectors become open again, before those that are.
void SpanIndex::OpenLast() {
  const IndexSegment& segment = *sealed_.back().segment;
  std::vector<int32_t> counts(static_cast<size_t>(segment.spans), 0);
  for (int64_t h = 0; h < heads_; ++h) {
    if (kept(h) < 0) continue;
    Head& head = head_[static_cast<size_t>(h)];
    const std::vector<uint16_t>& owners = segment.owners[static_cast<size_t>(kept(h))];
    const std::vector<int32_t> order = SortedOrder(std::vector<int32_t>(owners.begin(), owners.end()));
    const IndexView all = segment.View(kept(h));
    Head opened;
    for (const int32_t v : order) {
      opened.vectors.insert(opened.vectors.end(), all.vectors + v * head_dim_, all.vectors + (v + 1) * head_dim_);
      opened.scales.push_back(all.scales[v]);
      opened.owners.push_back(static_cast<int32_t>(sealed_.back().first_span) + owners[static_cast<size_t>(v)]);
    }
    if (kept(h) == 0) {
      for (const uint16_t owner : owners) ++counts[owner];
    }
    head.vectors.insert(head.vectors.begin(), opened.vectors.begin(), opened.vectors.end());
    head.scales.insert(head.scales.begin(), opened.scales.begin(), opened.scales.end());
    head.owners.insert(head.owners.begin(), opened.owners.begin(), opened.owners.end());
    while (!head.clusters.empty() && head.clusters.back().segment + 1 == static_cast<int32_t>(sealed_.size())) {
      head.clusters.pop_back();
    }
    head.centroids.resize(head.clusters.size() * static_cast<size_t>(head_dim_));
    head.centroid_scales.resize(head.clusters.size());
    head.cluster_log_spans.resize(head.clusters.size());
  }
  if (kept_heads_ == 0) {  // nobody knows whose they were, nor cares
    std::fill(counts.begin(), counts.end(), 1);
    counts[0] += static_cast<int32_t>(segment.vectors - segment.spans);
  }
  open_counts_.insert(open_counts_.begin(), counts.begin(), counts.end());
  open_vectors_ += segment.vectors;
  open_first_span_ = sealed_.back().first_span;
  means_.resize(static_cast<size_t>(sealed_.back().part) + 1);
  sealed_.pop_back();
}

Status SpanIndex::Truncate(int64_t spans) {
  if (spans >= this->spans()) return {};
  std::vector<Block*> cut;
  for (const Sealed& sealed : sealed_) {
    if (sealed.first_span + sealed.segment->spans > spans) cut.push_back(sealed.segment->block.get());
  }
  Result<BlockHold> hold = tier_->Hold(nullptr, std::move(cut));
  if (!hold.ok()) return hold.error();
  while (open_first_span_ > spans) OpenLast();
  const auto left = static_cast<size_t>(spans - open_first_span_);
  for (; open_counts_.size() > left; open_counts_.pop_back()) open_vectors_ -= open_counts_.back();
  for (Head& head : head_) {
    if (head.scales.empty()) continue;
    head.vectors.resize(static_cast<size_t>(open_vectors_ * head_dim_));
    head.scales.resize(static_cast<size_t>(open_vectors_));
    head.owners.resize(static_cast<size_t>(open_vectors_));
  }
  if (spans == 0) means_.clear();  // another text may follow
  return {};
}

void SpanIndex::AppendBlocks(std::vector<Block*>* blocks) const {
  for (const Sealed& sealed : sealed_) blocks->push_back(sealed.segment->block.get());
}

int64_t SpanIndex::block_bytes() const {
  int64_t bytes = 0;
  for (const Sealed& sealed : sealed_) {
    const BlockRef& block = sealed.segment->block;
    if (block != nullptr && block->data() != nullptr) bytes += block->bytes();
  }
  return bytes;
}

int64_t SpanIndex::BesideBlocks() const {
  auto bytes = static_cast<int64_t>(open_counts_.capacity() * sizeof(int32_t) + sealed_.capacity() * sizeof(Sealed));
  for (const Sealed& sealed : sealed_) {
    const IndexSegment& segment = *sealed.segment;
    bytes += segment.vectors * kept_heads_ * static_cast<int64_t>(sizeof(uint16_t));
  }
  for (const Head& head : head_) {
    bytes += static_cast<int64_t>(head.vectors.capacity() + head.centroids.capacity() +
                                  (head.scales.capacity() + head.owners.capacity() + head.centroid_scales.capacity() +
                                   head.cluster_log_spans.capacity()) *
                                      sizeof(float) +
                                  head.clusters.capacity() * sizeof(Cluster));
  }
  return bytes;
}

}  // namespace ltri
