#include "spans/band_cutter.h"

#include "spans/confidence.h"

namespace ltri {

// Confidence looks up to 2 rows before a span's first.
BandCutter::BandCutter(const SpanCutterOptions& options)
    : SpanCutter(options), scores_(options.sinks, options.max_span, options.kappa, MaxPending() + 2) {}

void BandCutter::Push(std::span<const float> row) {
  scores_.Push(row);
  Advance();
  if (tokens() % kCadence == 0) Cut();
}

void BandCutter::OnTruncate(int64_t tokens, int64_t tail) { scores_.Truncate(tokens, tail); }

void BandCutter::OnRestore(StateReader* state) {
  scores_.Restore(state);
  state->Check(scores_.next() == tokens() && scores_.oldest() <= tail(), "the band does not reach what is cut");
}

void BandCutter::Cut() {
  const int64_t horizon = tokens() - options().max_span;
  if (tail() >= horizon) return;
  ends_.clear();
  FindEnds(scores_, tail(), tokens(), &ends_);
  for (const int64_t end : ends_) {
    if (end > horizon) break;
    CommitUntil(end);
  }
}

void BandCutter::CutRest() {
  if (tail() == tokens()) return;
  ends_.clear();
  FindEnds(scores_, tail(), tokens(), &ends_);
  for (const int64_t end : ends_) CommitUntil(end);
  if (tail() < tokens()) CommitUntil(tokens());  // too short for a span otherwise
}

// The span from the tail to `end`.
void BandCutter::CommitUntil(int64_t end) {
  const int64_t begin = tail();
  Commit({.begin = begin,
          .end = end,
          .score = scores_.Row(end - 1)[end - 1 - begin],
          .confidence = Confidence(scores_, begin, end)});
}

}  // namespace ltri
