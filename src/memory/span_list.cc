#include "memory/span_list.h"

#include <algorithm>
#include <span>

namespace ltri {
namespace {

void PutSpans(std::span<const Span> spans, StateWriter* to) {
  std::vector<int64_t> begins, ends;
  std::vector<float> scores, confidences;
  for (const Span& span : spans) {
    begins.push_back(span.begin);
    ends.push_back(span.end);
    scores.push_back(span.score);
    confidences.push_back(span.confidence);
  }
  to->PutAll(begins);
  to->PutAll(ends);
  to->PutAll(scores);
  to->PutAll(confidences);
}

// Appends to spans, which follow each other within the text's `tokens`.
void GetSpans(StateReader* from, int64_t tokens, std::vector<Span>* spans) {
  const std::vector<int64_t> begins = from->GetAll<int64_t>();
  const auto count = static_cast<int64_t>(begins.size());
  const std::vector<int64_t> ends = from->GetAll<int64_t>(count, "the ends of spans");
  const std::vector<float> scores = from->GetAll<float>(count, "the scores of spans");
  const std::vector<float> confidences = from->GetAll<float>(count, "the confidences of spans");
  for (size_t i = 0; i < begins.size() && from->ok(); ++i) {
    const int64_t least = spans->empty() ? 0 : spans->back().end;
    from->Check(begins[i] >= least && ends[i] > begins[i] && ends[i] <= tokens, "spans overlap");
    spans->push_back({begins[i], ends[i], scores[i], confidences[i]});
  }
}

}  // namespace

void SpanList::Truncate(int64_t tokens, int64_t stored) {
  const auto last =
      std::partition_point(spans_.begin(), spans_.end(), [tokens](const Span& span) { return span.end <= tokens; });
  spans_.erase(last, spans_.end());
  saved_.resize(std::min(saved_.size(), static_cast<size_t>(stored / kSavedSpans)));
}

Status SpanList::Save(const std::shared_ptr<BlockFile>& file, Tier& tier, int64_t stored, StateWriter* state) {
  const std::span<const Span> all = spans_;
  state->Put(stored);
  const int64_t whole = stored / kSavedSpans;
  state->Put(whole);
  for (int64_t i = 0; i < whole; ++i) {
    if (i == static_cast<int64_t>(saved_.size())) {
      StateWriter to;
      PutSpans(all.subspan(static_cast<size_t>(i * kSavedSpans), kSavedSpans), &to);
      const std::vector<std::byte> bytes = to.Take();
      Result<int64_t> offset = file->Append(bytes);
      if (!offset.ok()) return offset.error();
      saved_.push_back(tier.Find(file, *offset, static_cast<int64_t>(bytes.size()), BlockUse::kKeys));
    }
    const BlockRef& block = saved_[static_cast<size_t>(i)];
    Result<int64_t> offset = tier.Save(*block, file);
    if (!offset.ok()) return offset.error();
    state->Put(block->bytes());
    state->Put(*offset);
  }
  PutSpans(all.subspan(static_cast<size_t>(whole * kSavedSpans)), state);
  return {};
}

Status SpanList::Restore(const std::shared_ptr<BlockFile>& file, Tier& tier, int64_t tokens, StateReader* state,
                         int64_t* stored) {
  *stored = state->GetWithin<int64_t>(0, tokens, "the number of spans");
  constexpr int64_t kMostBytes = 64 * kSavedSpans;
  struct Place {
    int64_t offset;
    int64_t bytes;
  };
  std::vector<Place> places;  // announced together, then read
  for (int64_t left = state->Get<int64_t>(); left > 0 && state->ok(); --left) {
    const auto bytes = state->GetWithin<int64_t>(0, kMostBytes, "the length of a block of spans");
    const auto offset = state->Get<int64_t>();
    if (!state->ok()) return state->status();
    file->WillRead(offset, bytes);
    places.push_back({offset, bytes});
  }
  for (const auto& [offset, bytes] : places) {
    std::vector<std::byte> block(static_cast<size_t>(bytes));
    if (Status status = file->Read(offset, block); !status.ok()) return status;
    StateReader from(block);
    GetSpans(&from, tokens, &spans_);
    if (!from.ok()) return from.status();
    saved_.push_back(tier.Find(file, offset, bytes, BlockUse::kKeys));
  }
  state->Check(static_cast<int64_t>(spans_.size()) == static_cast<int64_t>(saved_.size()) * kSavedSpans,
               "a block of spans has a wrong length");
  GetSpans(state, tokens, &spans_);
  state->Check(*stored <= static_cast<int64_t>(spans_.size()), "the index holds other spans than there are");
  return state->status();
}

}  // namespace ltri
