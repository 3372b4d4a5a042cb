// How the spans of a layer on the card are saved and restored, in the format of memory/span_memory.h. The index of a
// file is in segments whose vectors are grouped by clusters; on the card each span's vectors follow each other.
#include <algorithm>
#include <cmath>
#include <utility>

#include "cuda/device_spans.h"
#include "ops/quantize.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kFloat = sizeof(float);
constexpr int64_t kSpansAtOnce = 4096;  // fetched from the card
constexpr int64_t kLongest = 255;       // tokens of a span: the card counts them in a byte (ops/cuda/chooser.cuh)

// One head's vectors in the order of spans.
struct HeadVectors {
  int64_t head_dim;
  std::vector<int8_t> numbers;   // [spans, kSpanVectors, head_dim]
  std::vector<float> scales;     // [spans, kSpanVectors]
  std::vector<uint8_t> present;  // [spans] vectors that are there
  bool crowded = false;          // a span has more

  HeadVectors(int64_t spans, int64_t dim)
      : head_dim(dim),
        numbers(static_cast<size_t>(spans * kSpanVectors * dim)),
        scales(static_cast<size_t>(spans * kSpanVectors)),
        present(static_cast<size_t>(spans), 0) {}

  // shift: [head_dim] what is added to the vector; null: nothing.
  void Add(int64_t span, const int8_t* vector, float scale, const float* shift) {
    uint8_t& count = present[static_cast<size_t>(span)];
    if (count == kSpanVectors) crowded = true;
    if (crowded) return;
    const int64_t at = span * kSpanVectors + count++;
    int8_t* to = numbers.data() + at * head_dim;
    if (shift == nullptr) {
      std::copy_n(vector, head_dim, to);
      scales[static_cast<size_t>(at)] = scale;
      return;
    }
    std::vector<float> floats(static_cast<size_t>(head_dim));
    for (int64_t j = 0; j < head_dim; ++j) {
      floats[static_cast<size_t>(j)] = static_cast<float>(vector[j]) * scale + shift[j];
    }
    scales[static_cast<size_t>(at)] = QuantizeVector(floats.data(), head_dim, to);
  }

  // A short span has fewer vectors: one stands there several times. Returns whether each span has one and none too
  // many.
  bool Complete() {
    for (size_t span = 0; span < present.size(); ++span) {
      if (present[span] == 0) return false;
      int8_t* own = numbers.data() + static_cast<int64_t>(span) * kSpanVectors * head_dim;
      for (int64_t i = present[span]; i < kSpanVectors; ++i) {
        std::copy_n(own, head_dim, own + i * head_dim);
        scales[span * kSpanVectors + static_cast<size_t>(i)] = scales[span * kSpanVectors];
      }
    }
    return !crowded;
  }
};

}  // namespace

// Brings saved_ up to what is stored on the card.
void DeviceSpans::Fetch() {
  const Stream stream = context_->stream;
  const int64_t dim = context_->shape.head_dim;
  const int64_t host_dim = saved_.head_dim();
  const HeadOrder& order = context_->host_heads.keys;
  const int64_t heads = index_.heads.indexed;
  if (stored_ > 0 && !saved_.has_mean()) {
    std::vector<float> means(static_cast<size_t>(heads * dim));
    Download(stream, means.data(), mean_.as<void>(), mean_.bytes());
    std::vector<float> all(static_cast<size_t>(saved_.heads() * host_dim),
                           0.0F);  // of heads that are not indexed: none
    for (int64_t head = 0; head < saved_.heads(); ++head) {
      const int64_t kept = saved_.kept(head);
      if (kept >= 0) HostHeads::ToHost(order, means.data() + kept * dim, all.data() + head * host_dim);
    }
    saved_.SetMean(std::move(all));
  }
  const int64_t numbers_of = kSpanVectors * dim;  // a span's
  for (int64_t first = saved_.spans(); first < stored_; first = saved_.spans()) {
    const int64_t count = std::min(kSpansAtOnce, stored_ - first);
    std::vector<int8_t> numbers(static_cast<size_t>(heads * count * numbers_of));
    std::vector<float> scales(static_cast<size_t>(heads * count * kSpanVectors));
    for (int64_t head = 0; head < heads; ++head) {
      const int64_t at = head * index_.capacity + first;
      Download(stream, numbers.data() + head * count * numbers_of, index_.vectors + at * numbers_of,
               count * numbers_of);
      Download(stream, scales.data() + head * count * kSpanVectors, index_.scales + at * kSpanVectors,
               count * kSpanVectors * kFloat);
    }
    std::vector<int8_t> of_span(static_cast<size_t>(heads * kSpanVectors * host_dim));
    std::vector<float> scales_of_span(static_cast<size_t>(heads * kSpanVectors));
    for (int64_t span = 0; span < count; ++span) {
      for (int64_t head = 0; head < heads; ++head) {
        const int64_t at = head * count + span;
        for (int64_t i = 0; i < kSpanVectors; ++i) {
          HostHeads::ToHost(order, numbers.data() + at * numbers_of + i * dim,
                            of_span.data() + (head * kSpanVectors + i) * host_dim);
        }
        std::copy_n(scales.begin() + at * kSpanVectors, kSpanVectors, scales_of_span.begin() + head * kSpanVectors);
      }
      saved_.AppendNumbers(of_span.data(), scales_of_span.data(), kSpanVectors);
    }
    saved_.Seal();
  }
  if (finished_) saved_.SealAll();
}

Status DeviceSpans::Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) {
  if (Status status = spans_.Save(file, *context_->saved, stored_, state); !status.ok()) return status;
  cutter_->Save(state);
  state->Put<int64_t>(0);  // where received attention begins, which the card does not sum
  if (Status status = saved_.Save(file, state); !status.ok()) return status;
  return context_->saved->Shrink();
}

Status DeviceSpans::Restore(const std::shared_ptr<BlockFile>& file, int64_t tokens, int64_t joined_end,
                            StateReader* state) {
  if (joined_end > 0) CutAt(joined_end);
  const int64_t first = cutter_->options().sinks;
  if (Status status = spans_.Restore(file, *context_->saved, tokens, state, &stored_); !status.ok()) return status;
  cutter_->Restore(state);
  state->Check(cutter_->tail() == std::max(spans().empty() ? first : spans().back().end, first),
               "the last span does not end where cutting goes on");
  state->GetWithin<int64_t>(0, std::max(tokens, first), "the first token whose attention is summed");
  if (!state->ok()) return state->status();
  if (Status status = saved_.Restore(file, state); !status.ok()) return status;
  state->Check(saved_.spans() == stored_, "the index holds other spans than there are");
  if (!state->ok()) return state->status();
  for (size_t s = 0; s < spans().size(); ++s) {
    if ((s == 0 || spans()[s].begin == spans()[s - 1].end) && spans()[s].length() <= kLongest) continue;
    return Error{ErrorCode::kUnsupported,
                 "texts that were joined on the host have gaps between them, which a CUDA device does not know; join "
                 "them anew, or take --device cpu"};
  }
  return PlaceStored();
}

// Brings what saved_ has to the card.
Status DeviceSpans::PlaceStored() {
  if (stored_ == 0) return {};
  const Stream stream = context_->stream;
  const int64_t dim = saved_.head_dim();
  const int64_t card_dim = context_->shape.head_dim;
  const HeadOrder& order = context_->host_heads.keys;
  if (stored_ > index_.capacity) Grow(Roomy(stored_));
  std::vector<HeadVectors> heads(static_cast<size_t>(index_.heads.indexed), HeadVectors(stored_, dim));
  // The card has one mean: vectors of other texts are moved by the difference.
  const std::vector<float>& mean = *saved_.means().front();
  const auto shift_of = [&](size_t part, int64_t head) {
    std::vector<float> shift;
    for (int64_t j = head * dim; part > 0 && j < (head + 1) * dim; ++j) {
      shift.push_back((*saved_.means()[part])[static_cast<size_t>(j)] - mean[static_cast<size_t>(j)]);
    }
    return shift;
  };
  const auto add = [&](int64_t head, const IndexView& view, int64_t first_span, const auto& owners, size_t part) {
    const std::vector<float> shift = shift_of(part, head);
    HeadVectors& to = heads[static_cast<size_t>(saved_.kept(head))];
    for (int64_t v = 0; v < view.count; ++v) {
      to.Add(first_span + owners[static_cast<size_t>(v)], view.vectors + v * dim, view.scales[v],
             shift.empty() ? nullptr : shift.data());
    }
  };
  for (const SpanIndex::Sealed& sealed : saved_.sealed()) {
    const Result<BlockHold> hold = context_->saved->Hold(nullptr, {sealed.segment->block.get()});
    if (!hold.ok()) return hold.error();
    for (int64_t head = 0; head < saved_.heads(); ++head) {
      const int64_t kept = saved_.kept(head);
      if (kept < 0) continue;
      add(head, sealed.segment->View(kept), sealed.first_span, sealed.segment->owners[static_cast<size_t>(kept)],
          static_cast<size_t>(sealed.part));
    }
  }
  for (int64_t head = 0; head < saved_.heads(); ++head) {
    if (saved_.kept(head) < 0) continue;
    const SpanIndex::Head& open = saved_.head(head);
    add(head, open.Open(), 0, open.owners, saved_.means().size() - 1);
  }
  std::vector<float> means(static_cast<size_t>(index_.heads.indexed * card_dim));
  std::vector<int8_t> numbers(static_cast<size_t>(stored_ * kSpanVectors * card_dim));
  for (int64_t head = 0; head < saved_.heads(); ++head) {
    const int64_t kept = saved_.kept(head);
    if (kept < 0) continue;
    HeadVectors& vectors = heads[static_cast<size_t>(kept)];
    if (!vectors.Complete()) return Error{ErrorCode::kCorrupt, "a span has no vectors in the index, or too many"};
    const int64_t at = kept * index_.capacity * kSpanVectors;
    for (int64_t v = 0; v < stored_ * kSpanVectors; ++v) {
      HostHeads::ToCard(order, vectors.numbers.data() + v * dim, numbers.data() + v * card_dim);
    }
    Upload(stream, index_.vectors + at * card_dim, numbers.data(), static_cast<int64_t>(numbers.size()));
    Upload(stream, index_.scales + at, vectors.scales.data(), static_cast<int64_t>(vectors.scales.size()) * kFloat);
    HostHeads::ToCard(order, mean.data() + head * dim, means.data() + kept * card_dim);
  }
  if (!means.empty()) Upload(stream, mean_.as<void>(), means.data(), mean_.bytes());
  std::vector<int32_t> borders{static_cast<int32_t>(spans()[0].begin)};
  for (int64_t s = 0; s < stored_; ++s) borders.push_back(static_cast<int32_t>(spans()[static_cast<size_t>(s)].end));
  Upload(stream, index_.borders, borders.data(), static_cast<int64_t>(borders.size() * sizeof(int32_t)));
  TellCount();
  // Vectors that follow are relative to the first mean, which a file cannot say of a later text: all are saved anew.
  if (saved_.means().size() > 1) saved_ = saved_.Empty();
  return {};
}

}  // namespace ltri::cuda
