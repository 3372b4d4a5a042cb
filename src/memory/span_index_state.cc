// How an index is saved: what does not change any more as blocks of a file, the rest in the state.
#include <algorithm>
#include <cstring>

#include "memory/span_index.h"

namespace ltri {
namespace {

// Owners are numbers of spans, and clusters follow each other: a search trusts both.
void CheckHead(std::span<const uint16_t> owners, std::span<const uint16_t> ends, int64_t spans, StateReader* from) {
  for (const uint16_t owner : owners) from->Check(owner < spans, "a vector of an index stands for no span");
  uint16_t begin = 0;
  for (const uint16_t end : ends) {
    from->Check(end > begin, "clusters of an index overlap");
    begin = end;
  }
  from->Check(begin == owners.size(), "clusters of an index leave vectors out");
}

}  // namespace

std::vector<std::byte> SpanIndex::Summarise(int64_t number) const {
  const IndexSegment& segment = *sealed_[static_cast<size_t>(number)].segment;
  StateWriter to;
  to.Put(segment.spans);
  to.Put(segment.vectors);
  for (int64_t h = 0; h < heads_; ++h) {
    if (kept(h) < 0) continue;
    const Head& head = head_[static_cast<size_t>(h)];
    to.PutAll(segment.owners[static_cast<size_t>(kept(h))]);
    const auto by_segment = [](const Cluster& cluster, int64_t segment_number) {
      return cluster.segment < segment_number;
    };
    const auto first = std::lower_bound(head.clusters.begin(), head.clusters.end(), number, by_segment);
    const auto last = std::lower_bound(first, head.clusters.end(), number + 1, by_segment);
    std::vector<uint16_t> ends;
    for (auto cluster = first; cluster != last; ++cluster) ends.push_back(cluster->end);
    to.PutAll(ends);
    const auto at = static_cast<size_t>(first - head.clusters.begin());
    const auto count = static_cast<size_t>(last - first);
    const auto d = static_cast<size_t>(head_dim_);
    to.PutAll(std::span(head.centroids).subspan(at * d, count * d));
    to.PutAll(std::span(head.centroid_scales).subspan(at, count));
    to.PutAll(std::span(head.cluster_log_spans).subspan(at, count));
  }
  return to.Take();
}

Status SpanIndex::Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) {
  state->Put<uint64_t>(means_.size());
  for (const Mean& mean : means_) state->PutAll(*mean);
  state->Put<uint64_t>(sealed_.size());
  for (size_t s = 0; s < sealed_.size(); ++s) {
    Sealed& sealed = sealed_[s];
    if (sealed.summary == nullptr) {
      const std::vector<std::byte> bytes = Summarise(static_cast<int64_t>(s));
      Result<int64_t> offset = file->Append(bytes);
      if (!offset.ok()) return offset.error();
      sealed.summary = tier_->Find(file, *offset, static_cast<int64_t>(bytes.size()), BlockUse::kKeys);
    }
    Result<int64_t> summary = tier_->Save(*sealed.summary, file);
    if (!summary.ok()) return summary.error();
    state->Put(sealed.part);
    state->Put(sealed.summary->bytes());
    state->Put(*summary);
    if (sealed.segment->block == nullptr) continue;
    Result<int64_t> vectors = tier_->Save(*sealed.segment->block, file);
    if (!vectors.ok()) return vectors.error();
    state->Put(*vectors);
  }
  state->PutAll(open_counts_);
  for (int64_t h = 0; h < heads_; ++h) {
    if (kept(h) < 0) continue;
    state->PutAll(head_[static_cast<size_t>(h)].vectors);
    state->PutAll(head_[static_cast<size_t>(h)].scales);
  }
  return {};
}

Status SpanIndex::Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) {
  for (int64_t left = state->GetCount(sizeof(float)); left > 0 && state->ok(); --left) {
    means_.push_back(std::make_shared<const std::vector<float>>(
        state->GetAll<float>(heads_ * head_dim_, "the mean key of an index")));
  }
  constexpr int64_t kMostSummary = int64_t{1} << 28;
  struct Place {
    int32_t part;
    int64_t offset;  // of the summary
    int64_t bytes;
    int64_t vectors;  // their offset
  };
  std::vector<Place> places;  // announced together, then read
  for (int64_t left = state->GetCount(2 * sizeof(int64_t)); left > 0 && state->ok(); --left) {
    Place place{};
    place.part = state->GetWithin<int32_t>(0, static_cast<int32_t>(means_.size()) - 1, "the text of a segment");
    place.bytes = state->GetWithin<int64_t>(0, kMostSummary, "the length of a segment's summary");
    place.offset = state->Get<int64_t>();
    place.vectors = kept_heads_ > 0 ? state->Get<int64_t>() : 0;
    if (!state->ok()) return state->status();
    file->WillRead(place.offset, place.bytes);
    places.push_back(place);
  }
  for (const Place& place : places) {
    std::vector<std::byte> summary(static_cast<size_t>(place.bytes));
    if (Status status = file->Read(place.offset, summary); !status.ok()) return status;
    StateReader from(summary);
    AddSegment(file, place.part, place.vectors, &from);
    if (!from.ok()) return from.status();
    sealed_.back().summary = tier_->Find(file, place.offset, place.bytes, BlockUse::kKeys);
  }
  open_counts_ = state->GetAll<int32_t>();
  for (const int32_t count : open_counts_) {
    state->Check(count > 0 && count < IndexSegment::kMostVectors, "an open span of an index has no vectors");
    open_vectors_ += count;
  }
  state->Check(open_counts_.empty() || has_mean(), "an index has spans but no mean key");
  for (int64_t h = 0; h < heads_ && state->ok(); ++h) {
    if (kept(h) < 0) continue;
    Head& head = head_[static_cast<size_t>(h)];
    head.vectors = state->GetAll<int8_t>(open_vectors_ * head_dim_, "the open vectors of an index");
    head.scales = state->GetAll<float>(open_vectors_, "the scales of an index");
    for (size_t i = 0; i < open_counts_.size() && state->ok(); ++i) {
      head.owners.insert(head.owners.end(), static_cast<size_t>(open_counts_[i]),
                         static_cast<int32_t>(open_first_span_ + static_cast<int64_t>(i)));
    }
  }
  return state->status();
}

// One more segment as `from` describes it; its vectors are at offset `vectors` of the file.
void SpanIndex::AddSegment(const std::shared_ptr<BlockFile>& file, int32_t part, int64_t vectors, StateReader* from) {
  auto segment = std::make_shared<IndexSegment>();
  segment->head_dim = head_dim_;
  segment->spans = from->GetWithin<int64_t>(1, IndexSegment::kMostVectors, "the spans of a segment");
  segment->vectors = from->GetWithin<int64_t>(1, IndexSegment::kMostVectors - 1, "the vectors of a segment");
  const auto number = static_cast<int32_t>(sealed_.size());
  for (int64_t h = 0; h < heads_ && from->ok(); ++h) {
    if (kept(h) < 0) continue;
    Head& head = head_[static_cast<size_t>(h)];
    segment->owners.push_back(from->GetAll<uint16_t>(segment->vectors, "the owners of a segment"));
    const std::vector<uint16_t> ends = from->GetAll<uint16_t>();
    const auto clusters = static_cast<int64_t>(ends.size());
    CheckHead(segment->owners.back(), ends, segment->spans, from);
    const auto append = [](auto& to, const auto& values) { to.insert(to.end(), values.begin(), values.end()); };
    append(head.centroids, from->GetAll<int8_t>(clusters * head_dim_, "the centroids of a segment"));
    append(head.centroid_scales, from->GetAll<float>(clusters, "the centroids' scales"));
    append(head.cluster_log_spans, from->GetAll<float>(clusters, "the centroids' spans"));
    uint16_t begin = 0;
    for (const uint16_t end : ends) {
      head.clusters.push_back({number, begin, end});
      begin = end;
    }
  }
  if (kept_heads_ > 0) {
    const int64_t bytes = kept_heads_ * IndexSegment::HeadBytes(segment->vectors, head_dim_);
    segment->block = tier_->Find(file, vectors, bytes, BlockUse::kIndex);
  }
  const int64_t spans = segment->spans;
  sealed_.push_back({.segment = std::move(segment), .first_span = open_first_span_, .part = part});
  open_first_span_ += spans;
}

}  // namespace ltri
