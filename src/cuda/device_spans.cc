#include "cuda/device_spans.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ltri::cuda {
namespace {

constexpr int64_t kFloat = sizeof(float);
constexpr int64_t kMeanTokens = 256;  // most keys that the mean is taken over

}  // namespace

DeviceSpans::DeviceSpans(DeviceContext* context, int64_t layer, const VotingHeads& heads,
                         std::unique_ptr<SpanCutter> cutter, SpanIndex index)
    : context_(context),
      layer_(layer),
      cutter_(std::move(cutter)),
      saved_(std::move(index)),
      count_(sizeof(int32_t)),
      mean_(static_cast<int64_t>(heads.indexed) * context->shape.head_dim * kFloat) {
  index_.heads = heads;
  index_.spans = count_.as<int32_t>();
  index_.mean = mean_.as<float>();
  Grow(kLeastCapacity);
  TellCount();
}

DeviceSpans::DeviceSpans(const DeviceSpans& other)
    : DeviceSpans(other.context_, other.layer_, other.index_.heads, other.cutter_->Clone(), other.saved_) {
  spans_ = other.spans_;
  stored_ = other.stored_;
  finished_ = other.finished_;
  if (other.index_.capacity > index_.capacity) Grow(other.index_.capacity);
  const std::pair<const Buffer*, const Buffer*> copies[] = {
      {&borders_, &other.borders_}, {&vectors_, &other.vectors_}, {&scales_, &other.scales_}, {&mean_, &other.mean_},
      {&cast_, &other.cast_},       {&weights_, &other.weights_}, {&asked_, &other.asked_}};
  for (const auto& [to, from] : copies) {
    if (from->bytes() > 0) CopyOnDevice(context_->stream, to->as<void>(), from->as<void>(), from->bytes());
  }
  TellCount();
}

void DeviceSpans::TellCount() {
  const auto count = static_cast<int32_t>(stored_);
  Upload(context_->stream, count_.as<void>(), &count, sizeof(count));
}

// Heads keep their vectors apart, so each moves by itself.
void DeviceSpans::Grow(int64_t capacity) {
  const Stream stream = context_->stream;
  const int64_t heads = index_.heads.indexed;
  const int64_t before = index_.capacity;
  const auto grow = [&](Buffer& buffer, int64_t parts, int64_t bytes) {
    if (parts == 0) return;
    Buffer grown(parts * capacity * bytes);
    Clear(stream, grown.as<void>(), grown.bytes());
    for (int64_t part = 0; part < parts && before > 0; ++part) {
      CopyOnDevice(stream, grown.as<char>() + part * capacity * bytes, buffer.as<char>() + part * before * bytes,
                   before * bytes);
    }
    buffer = std::move(grown);
  };
  Buffer borders((capacity + 1) * static_cast<int64_t>(sizeof(int32_t)));
  if (before > 0) CopyOnDevice(stream, borders.as<void>(), borders_.as<void>(), borders_.bytes());
  borders_ = std::move(borders);
  grow(vectors_, heads, kSpanVectors * context_->shape.head_dim);
  grow(scales_, heads, kSpanVectors * kFloat);
  grow(cast_, 1, kFloat);
  grow(weights_, 1, kFloat);
  grow(asked_, 1, kFloat);
  totals_ = Buffer(capacity * kFloat);
  loans_ = Buffer(capacity * kFloat);
  taken_ = Buffer(capacity * kFloat);
  index_.capacity = capacity;
  index_.borders = borders_.as<int32_t>();
  index_.vectors = vectors_.as<int8_t>();
  index_.scales = scales_.as<float>();
}

void DeviceSpans::Push(int64_t begin, int64_t count, const float* band) {
  const int64_t width = cutter_->options().max_span;
  const std::vector<float> nothing(static_cast<size_t>(width), NAN);
  for (int64_t i = std::max<int64_t>(0, cutter_->options().sinks - begin); i < count; ++i) {
    const float* row = band == nullptr ? nothing.data() : band + i * width;
    cutter_->Push(cutter_->NeedsBand() ? std::span(row, static_cast<size_t>(width)) : std::span<const float>());
  }
  for (const Span& span : cutter_->TakeCommitted()) spans_.Append(span);
}

bool DeviceSpans::StoreUntil(int64_t limit, const SequenceRef* sequence) {
  const int64_t before = stored_;
  int64_t now = before;
  const std::vector<Span>& spans = this->spans();
  while (now < static_cast<int64_t>(spans.size()) && spans[static_cast<size_t>(now)].end <= limit) ++now;
  if (now == before) return false;
  const bool grows = now > index_.capacity;
  if (grows) Grow(Roomy(now));
  std::vector<int32_t> borders{static_cast<int32_t>(spans[static_cast<size_t>(before)].begin)};
  for (int64_t s = before; s < now; ++s) borders.push_back(static_cast<int32_t>(spans[static_cast<size_t>(s)].end));
  if (before == 0) {
    // A window holds more keys behind the first span; only a text that is over has fewer.
    const int64_t first = spans[0].begin;
    const int64_t count = std::min({kMeanTokens, 2 * cutter_->options().max_span, cutter_->tokens() - first});
    MeanKey(context_->stream, context_->shape, sequence, layer_, static_cast<int32_t>(first),
            static_cast<int32_t>(count), index_);
  }
  IndexSpans(context_->stream, context_->shape, sequence, layer_, index_, static_cast<int32_t>(before), borders);
  stored_ = now;
  return grows;
}

void DeviceSpans::Finish(const SequenceRef* sequence) {
  finished_ = true;
  cutter_->CutRest();
  for (const Span& span : cutter_->TakeCommitted()) spans_.Append(span);
  StoreUntil(cutter_->tokens(), sequence);
}

void DeviceSpans::Append(const DeviceSpans& text, int64_t begin, int64_t sinks) {
  const int64_t longest = cutter_->options().max_span;
  for (int64_t at = 0; begin > 0 && at < sinks; at += longest) {
    spans_.Append({.begin = begin + at, .end = begin + std::min(sinks, at + longest)});
  }
  for (Span span : text.spans()) {
    span.begin += begin;
    span.end += begin;
    spans_.Append(span);
  }
}

void DeviceSpans::StartAt(int64_t end, const SequenceRef* sequence) {
  CutAt(end);
  StoreUntil(end, sequence);
}

// The text that is to be cut begins at token `first`.
void DeviceSpans::CutAt(int64_t first) {
  SpanCutterOptions options = cutter_->options();
  options.sinks = first;
  cutter_ = std::move(*MakeSpanCutter(options));  // they were good for the cutter before
}

std::vector<float> DeviceSpans::Asked() const {
  std::vector<float> asked(static_cast<size_t>(stored_));
  Download(context_->stream, asked.data(), asked_.as<void>(), stored_ * kFloat);
  return asked;
}

void DeviceSpans::ClearAsked() { Clear(context_->stream, asked_.as<void>(), asked_.bytes()); }

void DeviceSpans::Truncate(int64_t tokens, int64_t window_begin) {
  finished_ = false;
  const int64_t last = std::min(tokens, window_begin);
  stored_ = std::min<int64_t>(
      stored_, std::count_if(spans().begin(), spans().end(), [last](const Span& span) { return span.end <= last; }));
  spans_.Truncate(tokens, stored_);
  // What a file has of the index and cannot be read is saved anew.
  if (!saved_.Truncate(stored_).ok()) saved_ = saved_.Empty();
  cutter_->Truncate(tokens, spans().empty() ? 0 : spans().back().end);
  Clear(context_->stream, cast_.as<void>(), cast_.bytes());
  Clear(context_->stream, weights_.as<void>(), weights_.bytes());
  ClearAsked();
  TellCount();
}

int64_t DeviceSpans::bytes() const {
  return borders_.bytes() + vectors_.bytes() + scales_.bytes() + cast_.bytes() + weights_.bytes() + asked_.bytes() +
         totals_.bytes() + loans_.bytes() + taken_.bytes();
}

int64_t DeviceSpans::MostBytes(const HeadShape& shape, int64_t indexed, int64_t tokens, int64_t min_span) {
  const int64_t vectors = indexed * kSpanVectors * (shape.head_dim + kFloat);
  const int64_t others = shape.layers * (6 * kFloat + static_cast<int64_t>(sizeof(int32_t)));
  return Roomy(tokens / min_span) * (vectors + others);
}

}  // namespace ltri::cuda
