#include "memory/span_search.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>

namespace ltri {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// A cluster this much below the best, in nats, has no part in a softmax worth opening it for.
constexpr float kFarBelow = 12.0F;

// Grows only: results of the last search may stay.
void Grow(std::vector<float>& buffer, int64_t size) {
  if (static_cast<int64_t>(buffer.size()) < size) buffer.resize(static_cast<size_t>(size));
}

}  // namespace

void SpanSearch::Start(const SpanIndex& index, int64_t head, const float* queries, int64_t rows, float scale,
                       int64_t probes) {
  head_ = &index.head(head);
  queries_ = queries;
  head_dim_ = index.head_dim();
  scale_ = scale;
  probes_ = probes;
  if (static_cast<int64_t>(best_.size()) < index.spans()) best_.resize(static_cast<size_t>(index.spans()), kNone);
  const IndexView all = head_->All();
  const IndexView open = all.Part(head_->open_begin(), all.count, head_dim_);
  const IndexView centroids = head_->Centroids();
  Grow(open_, rows * open.count);
  Grow(clusters_, rows * centroids.count);
  IndexScan(open, queries, rows, head_dim_, scale, open_.data(), open.count);
  IndexScan(centroids, queries, rows, head_dim_, scale, clusters_.data(), centroids.count);
}

void SpanSearch::Find(int64_t row, Found* found) {
  found->spans.clear();
  found->relevance.clear();
  found->log_spans.clear();
  FindOpen(row, found);
  FindClustered(row, found);
}

void SpanSearch::FindOpen(int64_t row, Found* found) const {
  const int64_t begin = head_->open_begin();
  const auto end = static_cast<int64_t>(head_->owners.size());
  const float* dots = open_.data() + row * (end - begin);
  for (int64_t v = begin; v < end; ++v) {
    const int32_t owner = head_->owners[static_cast<size_t>(v)];
    if (found->spans.empty() || found->spans.back() != owner) {
      found->spans.push_back(owner);
      found->relevance.push_back(dots[v - begin]);
    } else {
      found->relevance.back() = std::max(found->relevance.back(), dots[v - begin]);
    }
  }
}

// Clusters at least this good are opened: the best `probes`.
float SpanSearch::Cutoff(const float* centroids, int64_t count) {
  const float far = *std::max_element(centroids, centroids + count) - kFarBelow;
  sorted_.clear();
  std::copy_if(centroids, centroids + count, std::back_inserter(sorted_), [far](float x) { return x >= far; });
  if (static_cast<int64_t>(sorted_.size()) <= probes_) return far;
  const auto last = sorted_.begin() + (probes_ - 1);
  std::nth_element(sorted_.begin(), last, sorted_.end(), std::greater<>());
  return *last;
}

void SpanSearch::FindClustered(int64_t row, Found* found) {
  const IndexView all = head_->All();
  const int64_t count = head_->Centroids().count;
  if (count == 0) return;
  const float* centroids = clusters_.data() + row * count;
  const float cutoff = Cutoff(centroids, count);
  const size_t compared = found->spans.size();
  rounded_.resize(static_cast<size_t>(head_dim_));
  const float scale = scale_ * RoundQuery(queries_ + row * head_dim_, head_dim_, rounded_.data());
  for (int64_t c = 0; c < count; ++c) {
    if (centroids[c] < cutoff) continue;
    const int64_t begin = head_->cluster_first[static_cast<size_t>(c)];
    const int64_t end = head_->cluster_first[static_cast<size_t>(c) + 1];
    Grow(dots_, end - begin);
    IndexScan(all.Part(begin, end, head_dim_), rounded_.data(), head_dim_, scale, dots_.data());
    for (int64_t v = begin; v < end; ++v) {
      const int32_t owner = head_->owners[static_cast<size_t>(v)];
      float& best = best_[static_cast<size_t>(owner)];
      if (best == kNone) found->spans.push_back(owner);
      // A damaged model's dots are no numbers; its spans still count once.
      best = std::max({std::numeric_limits<float>::lowest(), best, dots_[static_cast<size_t>(v - begin)]});
    }
  }
  for (size_t i = compared; i < found->spans.size(); ++i) {
    float& best = best_[static_cast<size_t>(found->spans[i])];
    found->relevance.push_back(best);
    best = kNone;
  }
  for (int64_t c = 0; c < count; ++c) {
    if (centroids[c] >= cutoff) continue;
    const float log_spans = head_->cluster_log_spans[static_cast<size_t>(c)];
    found->relevance.push_back(centroids[c] + log_spans);
    found->log_spans.push_back(log_spans);
  }
}

}  // namespace ltri
