#include "memory/span_index.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "memory/cluster_vectors.h"
#include "ops/quantize.h"

namespace ltri {
namespace {

// values[begin + i] = values[begin + order[i]], rows of `width`.
template <typename T>
void Reorder(std::vector<T>& values, int64_t begin, const std::vector<int32_t>& order, int64_t width) {
  const std::vector<T> before(values.begin() + begin * width,
                              values.begin() + (begin + static_cast<int64_t>(order.size())) * width);
  for (size_t i = 0; i < order.size(); ++i) {
    std::copy_n(before.begin() + order[i] * width, width, values.begin() + (begin + static_cast<int64_t>(i)) * width);
  }
}

// The order that sorts `keys`, equal ones as they come.
std::vector<int32_t> SortedOrder(std::span<const int32_t> keys) {
  std::vector<int32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return keys[static_cast<size_t>(a)] < keys[static_cast<size_t>(b)]; });
  return order;
}

}  // namespace

SpanIndex::SpanIndex(int64_t heads, int64_t head_dim, std::vector<uint8_t> kept, bool clustered)
    : heads_(heads),
      head_dim_(head_dim),
      kept_(std::move(kept)),
      clustered_(clustered),
      head_(static_cast<size_t>(heads)) {
  kept_.resize(static_cast<size_t>(heads), kept_.empty() ? 1 : 0);
}

void SpanIndex::Append(const float* vectors, int64_t count) {
  std::vector<float> centred(static_cast<size_t>(head_dim_));
  const auto owner = static_cast<int32_t>(spans());
  for (int64_t h = 0; h < heads_; ++h, vectors += count * head_dim_) {
    if (kept_[static_cast<size_t>(h)] == 0) continue;
    Head& head = head_[static_cast<size_t>(h)];
    const float* mean = mean_.data() + h * head_dim_;
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t j = 0; j < head_dim_; ++j) centred[static_cast<size_t>(j)] = vectors[i * head_dim_ + j] - mean[j];
      const size_t at = head.vectors.size();
      head.vectors.resize(at + static_cast<size_t>(head_dim_));
      head.scales.push_back(QuantizeVector(centred.data(), head_dim_, head.vectors.data() + at));
      head.owners.push_back(owner);
    }
  }
  first_.push_back(first_.back() + count);
}

void SpanIndex::Seal() {
  if (!clustered_) return;
  while (first_.back() - first_[static_cast<size_t>(sealed_.back())] >= kSegment) {
    const int64_t begin = first_[static_cast<size_t>(sealed_.back())];
    // The first span whose vectors complete the segment ends it.
    const auto last = std::lower_bound(first_.begin() + sealed_.back(), first_.end(), begin + kSegment);
    const int64_t spans = last - first_.begin() - sealed_.back();
    for (Head& head : head_) {
      if (!head.scales.empty())
        SealHead(head, begin, *last, static_cast<float>(spans) / static_cast<float>(*last - begin));
    }
    sealed_.push_back(sealed_.back() + spans);
  }
}

void SpanIndex::SealHead(Head& head, int64_t begin, int64_t end, float spans_a_vector) {
  const int64_t count = end - begin;
  std::vector<float> floats(static_cast<size_t>(count * head_dim_));
  for (int64_t v = 0; v < count; ++v) {
    const int8_t* from = head.vectors.data() + (begin + v) * head_dim_;
    const float scale = head.scales[static_cast<size_t>(begin + v)];
    for (int64_t j = 0; j < head_dim_; ++j) {
      floats[static_cast<size_t>(v * head_dim_ + j)] = static_cast<float>(from[j]) * scale;
    }
  }
  const std::vector<int32_t> cluster = ClusterVectors(floats.data(), count, head_dim_, count / kClusterSize);
  const std::vector<int32_t> order = SortedOrder(cluster);
  Reorder(head.vectors, begin, order, head_dim_);
  Reorder(head.scales, begin, order, 1);
  Reorder(head.owners, begin, order, 1);
  std::vector<float> mean(static_cast<size_t>(head_dim_));
  for (size_t from = 0; from < order.size();) {
    size_t to = from;
    std::fill(mean.begin(), mean.end(), 0.0F);
    for (; to < order.size() && cluster[static_cast<size_t>(order[to])] == cluster[static_cast<size_t>(order[from])];
         ++to) {
      const float* vector = floats.data() + order[to] * head_dim_;
      for (size_t j = 0; j < mean.size(); ++j) mean[j] += vector[j];
    }
    for (float& value : mean) value /= static_cast<float>(to - from);
    const size_t at = head.centroids.size();
    head.centroids.resize(at + mean.size());
    head.centroid_scales.push_back(QuantizeVector(mean.data(), head_dim_, head.centroids.data() + at));
    head.cluster_first.push_back(static_cast<int32_t>(begin + static_cast<int64_t>(to)));
    head.cluster_log_spans.push_back(std::log(std::max(1.0F, static_cast<float>(to - from) * spans_a_vector)));
    from = to;
  }
}

// Takes the clusters from vector `begin` on apart.
void SpanIndex::OpenHead(Head& head, int64_t begin) {
  const auto sealed = std::lower_bound(head.cluster_first.begin(), head.cluster_first.end(), begin);
  const auto clusters = static_cast<size_t>(sealed - head.cluster_first.begin());
  const int64_t end = head.open_begin();
  const std::vector<int32_t> order = SortedOrder({head.owners.data() + begin, static_cast<size_t>(end - begin)});
  Reorder(head.vectors, begin, order, head_dim_);
  Reorder(head.scales, begin, order, 1);
  Reorder(head.owners, begin, order, 1);
  head.cluster_first.resize(clusters + 1);
  head.cluster_log_spans.resize(clusters);
  head.centroid_scales.resize(clusters);
  head.centroids.resize(clusters * static_cast<size_t>(head_dim_));
}

void SpanIndex::Truncate(int64_t spans) {
  if (spans >= this->spans()) return;
  if (spans == 0) mean_.clear();  // another text may follow
  while (sealed_.back() > spans) sealed_.pop_back();
  const int64_t open = first_[static_cast<size_t>(sealed_.back())];
  first_.resize(static_cast<size_t>(spans) + 1);
  for (Head& head : head_) {
    if (head.scales.empty()) continue;
    if (head.open_begin() > open) OpenHead(head, open);
    head.vectors.resize(static_cast<size_t>(first_.back() * head_dim_));
    head.scales.resize(static_cast<size_t>(first_.back()));
    head.owners.resize(static_cast<size_t>(first_.back()));
  }
}

int64_t SpanIndex::bytes() const {
  auto bytes = static_cast<int64_t>(first_.capacity() * sizeof(int64_t));
  for (const Head& head : head_) {
    bytes += static_cast<int64_t>(head.vectors.capacity() + head.centroids.capacity() +
                                  (head.scales.capacity() + head.centroid_scales.capacity() +
                                   head.cluster_log_spans.capacity() + head.owners.capacity() +
                                   head.cluster_first.capacity()) *
                                      sizeof(float));
  }
  return bytes;
}

}  // namespace ltri
