// SpanCutter: cuts one layer's token stream into spans while it grows.
//
// The stream starts at token `sinks`; spans follow each other without gaps from there. A span is committed once and for
// all when it ends at least max_span before the newest token, so that later text can still change the newest borders.
// Borders are looked for whenever the number of tokens is a multiple of kCadence: the spans depend on the rows alone,
// not on how the prompt was split into blocks.
//
// Thread safety: none; Clone makes an independent copy.
#ifndef LTRI_SPANS_SPAN_CUTTER_H_
#define LTRI_SPANS_SPAN_CUTTER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/serial.h"
#include "ltri/options.h"
#include "ltri/result.h"
#include "spans/span.h"

namespace ltri {

struct SpanCutterOptions {
  SpanSelector selector = SpanSelector::kPartition;
  int64_t sinks = 64;
  int64_t min_span = 8;            // tokens; kFixed ignores it
  int64_t max_span = 128;          // tokens; width of the band; length of kFixed's blocks
  double kappa = 2.0;              // baseline, in means of the band
  bool length_normalised = false;  // kNms: rank candidates by score / length
};

// The part of a session's settings that concerns spans.
SpanCutterOptions CutterOptions(const SessionOptions& session);

class SpanCutter {
 public:
  static constexpr int64_t kCadence = 64;  // tokens

  virtual ~SpanCutter() = default;

  virtual std::unique_ptr<SpanCutter> Clone() const = 0;

  // Whether Push looks at the row; if not, an empty row will do.
  virtual bool NeedsBand() const = 0;

  // The band of token tokens(): row[lag-1] = probability that it attends to the token `lag` before it, summed over
  // heads, lag 1..max_span. Keys that are sinks or do not exist may hold any value.
  virtual void Push(std::span<const float> row) = 0;

  // The stream is cut back to its first `tokens` tokens. `tail` is the end of the last span that the caller keeps
  // (sinks if none); what lies behind it will be cut anew. Committed spans behind `tail` that were not taken are
  // dropped. Values below sinks mean sinks. tail <= tokens <= tokens(), and tail is less than 2 * max_span behind the
  // last multiple of kCadence in `tokens`, as any end of a committed span is.
  void Truncate(int64_t tokens, int64_t tail);

  // Commits what is left, up to tokens(): nothing of this text will follow.
  virtual void CutRest() = 0;

  // committed() is empty.
  void Save(StateWriter* state) const;
  // What Save wrote, for the same options.
  void Restore(StateReader* state);

  // Spans committed since the last TakeCommitted, in text order.
  const std::vector<Span>& committed() const { return committed_; }
  std::vector<Span> TakeCommitted();

  int64_t tokens() const { return tokens_; }                               // the token whose row comes next
  int64_t tail() const { return tail_; }                                   // end of the last committed span
  int64_t MaxPending() const { return 2 * options_.max_span + kCadence; }  // tokens() - tail() never exceeds it

  const SpanCutterOptions& options() const { return options_; }

 protected:
  explicit SpanCutter(const SpanCutterOptions& options);
  SpanCutter(const SpanCutter&) = default;
  SpanCutter& operator=(const SpanCutter&) = delete;

  virtual void OnTruncate(int64_t tokens, int64_t tail) = 0;
  virtual void OnSave(StateWriter* /*state*/) const {}
  virtual void OnRestore(StateReader* /*state*/) {}

  void Advance() { ++tokens_; }
  void Commit(const Span& span);  // span.begin must be tail()

 private:
  SpanCutterOptions options_;
  int64_t tokens_;
  int64_t tail_;
  std::vector<Span> committed_;
};

// Fails on sizes that cannot be cut: sinks < 0, max_span < 1, min_span < 1 or > max_span, kappa negative or no number.
Result<std::unique_ptr<SpanCutter>> MakeSpanCutter(const SpanCutterOptions& options);

}  // namespace ltri

#endif  // LTRI_SPANS_SPAN_CUTTER_H_
