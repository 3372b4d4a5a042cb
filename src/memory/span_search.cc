#include "memory/span_search.h"

#include <algorithm>
#include <limits>

#include "ops/top_k.h"
#include "ops/vote.h"

namespace ltri {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// A cluster this much below the best, in nats, has no part in a softmax worth opening it for.
constexpr float kFarBelow = 12.0F;

constexpr int64_t kCacheLine = 64;
constexpr size_t kAhead = 3;  // clusters that are on their way from memory

// Grows only: results of the last search may stay.
void Grow(std::vector<float>& buffer, int64_t size) {
  if (static_cast<int64_t>(buffer.size()) < size) buffer.resize(static_cast<size_t>(size));
}

}  // namespace

void SpanSearch::Start(const SpanIndex& index, int64_t head, const float* queries, int64_t rows, float scale,
                       int64_t probes) {
  Prepare(index, head, queries, rows, scale, probes);
  for (int64_t piece = 0; piece < Pieces(); ++piece) Compare(piece);
}

void SpanSearch::Prepare(const SpanIndex& index, int64_t head, const float* queries, int64_t rows, float scale,
                         int64_t probes) {
  index_ = &index;
  head_ = &index.head(head);
  number_ = head;
  queries_ = queries;
  rows_ = rows;
  head_dim_ = index.head_dim();
  scale_ = scale;
  probes_ = probes;
  if (static_cast<int64_t>(best_.size()) < index.spans()) best_.resize(static_cast<size_t>(index.spans()), kNone);
  const IndexView open = head_->Open();
  Grow(open_, rows * open.count);
  Grow(clusters_, rows * head_->Centroids().count);
  IndexScan(open, queries, rows, head_dim_, scale, open_.data(), open.count);
  ShiftParts(rows);
}

void SpanSearch::Compare(int64_t piece) {
  const IndexView all = head_->Centroids();
  const int64_t begin = piece * kPiece;
  const int64_t end = std::min(all.count, begin + kPiece);
  IndexScan(all.Part(begin, end, head_dim_), queries_, rows_, head_dim_, scale_, clusters_.data() + begin, all.count);
  if (shifts_.empty()) return;
  for (int64_t row = 0; row < rows_; ++row) {
    float* scores = clusters_.data() + row * all.count;
    for (int64_t c = begin; c < end; ++c) {
      const SpanIndex::Cluster& cluster = head_->clusters[static_cast<size_t>(c)];
      scores[c] += Shift(row, index_->sealed()[static_cast<size_t>(cluster.segment)].part);
    }
  }
}

// What makes the scores of joined texts comparable.
void SpanSearch::ShiftParts(int64_t rows) {
  shifts_.clear();
  const auto parts = static_cast<int64_t>(index_->means().size());
  if (parts < 2) return;
  const auto product = [&](int64_t row, int64_t part) {
    const float* mean = index_->means()[static_cast<size_t>(part)]->data() + number_ * head_dim_;
    return scale_ * Dot(queries_ + row * head_dim_, mean, head_dim_);
  };
  for (int64_t row = 0; row < rows; ++row) {
    const float first = product(row, 0);
    for (int64_t part = 0; part < parts; ++part) shifts_.push_back(product(row, part) - first);
  }
}

float SpanSearch::Shift(int64_t row, int32_t part) const {
  return shifts_.empty() ? 0.0F
                         : shifts_[static_cast<size_t>(row) * index_->means().size() + static_cast<size_t>(part)];
}

void SpanSearch::Find(int64_t row, Found* found) {
  found->spans.clear();
  found->relevance.clear();
  found->log_spans = {};
  FindOpen(row, found);
  FindClustered(row, found);
}

void SpanSearch::FindOpen(int64_t row, Found* found) const {
  const auto count = static_cast<int64_t>(head_->owners.size());
  const float* dots = open_.data() + row * count;
  const float shift = count > 0 ? Shift(row, static_cast<int32_t>(index_->means().size()) - 1) : 0.0F;
  for (int64_t v = 0; v < count; ++v) {
    const int32_t owner = head_->owners[static_cast<size_t>(v)];
    if (found->spans.empty() || found->spans.back() != owner) {
      found->spans.push_back(owner);
      found->relevance.push_back(dots[v] + shift);
    } else {
      found->relevance.back() = std::max(found->relevance.back(), dots[v] + shift);
    }
  }
}

// The best `probes` clusters, without those far below the best.
void SpanSearch::OpenBest(const float* centroids, int64_t count) {
  float best = 0;
  const float last = KthHighest(centroids, count, probes_, &best, &highest_);
  AtLeast(centroids, count, std::max(last, best - kFarBelow), &opened_);
}

// A cluster lies anywhere in memory: what Scan will read of it is asked for while another is compared.
void SpanSearch::Prefetch(const SpanIndex::Cluster& cluster) const {
  const IndexSegment& segment = *index_->sealed()[static_cast<size_t>(cluster.segment)].segment;
  const int64_t kept = index_->kept(number_);
  const IndexView view = segment.View(kept).Part(cluster.begin, cluster.end, head_dim_);
  for (int64_t at = 0; at < view.count * head_dim_; at += kCacheLine) __builtin_prefetch(view.vectors + at);
  __builtin_prefetch(view.scales);
  __builtin_prefetch(&segment.owners[static_cast<size_t>(kept)][static_cast<size_t>(cluster.begin)]);
}

// Compares the query with the vectors of a cluster.
void SpanSearch::Scan(const SpanIndex::Cluster& cluster, float scale, float shift, std::vector<int32_t>* spans) {
  const SpanIndex::Sealed& sealed = index_->sealed()[static_cast<size_t>(cluster.segment)];
  const IndexSegment& segment = *sealed.segment;
  const int64_t kept = index_->kept(number_);
  Grow(dots_, cluster.end - cluster.begin);
  IndexScan(segment.View(kept).Part(cluster.begin, cluster.end, head_dim_), rounded_.data(), head_dim_, scale,
            dots_.data());
  const uint16_t* owners = segment.owners[static_cast<size_t>(kept)].data();
  for (int64_t v = cluster.begin; v < cluster.end; ++v) {
    const auto owner = static_cast<int32_t>(sealed.first_span) + owners[v];
    float& best = best_[static_cast<size_t>(owner)];
    if (best == kNone) spans->push_back(owner);
    // A damaged model's dots are no numbers; its spans still count once.
    best =
        std::max({std::numeric_limits<float>::lowest(), best, dots_[static_cast<size_t>(v - cluster.begin)] + shift});
  }
}

void SpanSearch::FindClustered(int64_t row, Found* found) {
  const int64_t count = head_->Centroids().count;
  if (count == 0) return;
  const float* centroids = clusters_.data() + row * count;
  OpenBest(centroids, count);
  const size_t compared = found->spans.size();
  rounded_.resize(static_cast<size_t>(head_dim_));
  const float scale = scale_ * RoundQuery(queries_ + row * head_dim_, head_dim_, rounded_.data());
  for (size_t i = 0; i < std::min(kAhead, opened_.size()); ++i) {
    Prefetch(head_->clusters[static_cast<size_t>(opened_[i])]);
  }
  for (size_t i = 0; i < opened_.size(); ++i) {
    if (i + kAhead < opened_.size()) Prefetch(head_->clusters[static_cast<size_t>(opened_[i + kAhead])]);
    const SpanIndex::Cluster& cluster = head_->clusters[static_cast<size_t>(opened_[i])];
    Scan(cluster, scale, Shift(row, index_->sealed()[static_cast<size_t>(cluster.segment)].part), &found->spans);
  }
  for (size_t i = compared; i < found->spans.size(); ++i) {
    float& best = best_[static_cast<size_t>(found->spans[i])];
    found->relevance.push_back(best);
    best = kNone;
  }
  found->log_spans = head_->cluster_log_spans;
  const size_t estimated = found->relevance.size();
  found->relevance.resize(estimated + static_cast<size_t>(count));
  float* estimates = found->relevance.data() + estimated;
  for (int64_t c = 0; c < count; ++c) estimates[c] = centroids[c] + found->log_spans[static_cast<size_t>(c)];
  for (const int32_t c : opened_) estimates[c] = Found::kOpened;
}

}  // namespace ltri
