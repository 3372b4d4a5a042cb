#include "spans/span_cutter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "spans/nms.h"
#include "spans/partition.h"

namespace ltri {
namespace {

// Blocks of max_span tokens, whatever the text says.
class FixedCutter final : public SpanCutter {
 public:
  explicit FixedCutter(const SpanCutterOptions& options) : SpanCutter(options) {}

  std::unique_ptr<SpanCutter> Clone() const override { return std::make_unique<FixedCutter>(*this); }
  bool NeedsBand() const override { return false; }

  void Push(std::span<const float> /*row*/) override {
    Advance();
    if (tokens() - tail() == options().max_span) Commit({.begin = tail(), .end = tokens()});
  }

  void CutRest() override {
    if (tail() < tokens()) Commit({.begin = tail(), .end = tokens()});
  }

 private:
  void OnTruncate(int64_t tokens, int64_t tail) override {
    // A tail more than a block behind: whole blocks are final at once.
    for (int64_t begin = tail; tokens - begin >= options().max_span; begin += options().max_span) {
      Commit({.begin = begin, .end = begin + options().max_span});
    }
  }
};

Error Bad(const char* field, const std::string& value, const char* hint) {
  return {ErrorCode::kInvalidArgument, fmt::format("{} is {}: {}", field, value, hint)};
}

}  // namespace

SpanCutterOptions CutterOptions(const SessionOptions& session) {
  return {.selector = session.spans,
          .sinks = session.sinks,
          .min_span = session.min_span,
          .max_span = session.max_span,
          .kappa = session.kappa};
}

SpanCutter::SpanCutter(const SpanCutterOptions& options)
    : options_(options), tokens_(options.sinks), tail_(options.sinks) {}

void SpanCutter::Commit(const Span& span) {
  assert(span.begin == tail_ && span.end > span.begin && span.end <= tokens_);
  committed_.push_back(span);
  tail_ = span.end;
}

std::vector<Span> SpanCutter::TakeCommitted() { return std::exchange(committed_, {}); }

void SpanCutter::Truncate(int64_t tokens, int64_t tail) {
  tokens = std::max(tokens, options_.sinks);
  tail = std::max(tail, options_.sinks);
  assert(tail <= tokens && tokens <= tokens_ && tokens / kCadence * kCadence - tail < 2 * options_.max_span);
  while (!committed_.empty() && committed_.back().end > tail) committed_.pop_back();
  tokens_ = tokens;
  tail_ = tail;
  OnTruncate(tokens, tail);
}

void SpanCutter::Save(StateWriter* state) const {
  assert(committed_.empty());
  state->Put(tokens_);
  state->Put(tail_);
  OnSave(state);
}

void SpanCutter::Restore(StateReader* state) {
  constexpr int64_t kLongest = int64_t{1} << 40;  // tokens
  tokens_ = state->GetWithin(options_.sinks, kLongest, "the tokens that were cut into spans");
  tail_ = state->GetWithin(std::max(options_.sinks, tokens_ - MaxPending()), tokens_, "the end of the last span");
  OnRestore(state);
}

Result<std::unique_ptr<SpanCutter>> MakeSpanCutter(const SpanCutterOptions& options) {
  constexpr int64_t kLongest = 65536;  // keeps the ring of score rows, about 8 * max_span^2 bytes, within reason
  if (options.sinks < 0) return Bad("sinks", fmt::to_string(options.sinks), "must not be negative");
  if (options.max_span < 1 || options.max_span > kLongest) {
    return Bad("max_span", fmt::to_string(options.max_span), "must be 1 to 65536 tokens (128 is the default)");
  }
  if (options.selector == SpanSelector::kFixed) return std::unique_ptr<SpanCutter>(new FixedCutter(options));
  if (options.max_span > kLongest / 16) {
    return Bad("max_span", fmt::to_string(options.max_span), "must be at most 4096 tokens unless spans are fixed");
  }
  if (options.min_span < 1 || options.min_span > options.max_span) {
    return Bad("min_span", fmt::to_string(options.min_span), "must be at least 1 and at most max_span");
  }
  if (!std::isfinite(options.kappa) || options.kappa < 0 || options.kappa > 1e6) {
    return Bad("kappa", fmt::to_string(options.kappa), "must be a number from 0 to 1000000 (2 is the default)");
  }
  if (options.selector == SpanSelector::kNms) return std::unique_ptr<SpanCutter>(new NmsCutter(options));
  return std::unique_ptr<SpanCutter>(new PartitionCutter(options));
}

}  // namespace ltri
