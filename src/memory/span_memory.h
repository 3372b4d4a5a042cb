// SpanMemory: the spans of one layer and the index over those that have left the window.
#ifndef LTRI_MEMORY_SPAN_MEMORY_H_
#define LTRI_MEMORY_SPAN_MEMORY_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "memory/kv_store.h"
#include "memory/span_index.h"
#include "spans/index_vectors.h"
#include "spans/span_cutter.h"
#include "spans/span_directory.h"

namespace ltri {

class SpanMemory {
 public:
  // kv_heads keys a token; `heads` query heads share them. index: one head each of those that the rule makes, empty.
  SpanMemory(std::unique_ptr<SpanCutter> cutter, const IndexRule& rule, int64_t heads, int64_t kv_heads,
             SpanIndex index);
  SpanMemory(const SpanMemory& other);
  SpanMemory& operator=(const SpanMemory&) = delete;

  bool NeedsBand() const { return cutter_->NeedsBand(); }
  bool NeedsReceived() const { return ltri::NeedsReceived(rule_); }

  // Rows of the band of tokens [begin, begin + count), [count, width]; sinks are skipped. Empty if !NeedsBand().
  void Push(int64_t begin, int64_t count, std::span<const float> band, int64_t width);

  // Adds to the attention that tokens [begin, begin + count) received. received: [heads, count].
  void AddReceived(int64_t begin, int64_t count, std::span<const float> received);

  // Moves the spans that end at or before `limit` into the index.
  void StoreUntil(int64_t limit, const KvStore& store);

  // What the index puts off until there is time: full segments are clustered.
  void Tidy() { index_.Seal(); }

  // Spans in the index, and all that are cut.
  std::span<const Span> stored() const { return {spans_.data(), static_cast<size_t>(index_.spans())}; }
  const std::vector<Span>& spans() const { return spans_; }
  const SpanIndex& index() const { return index_; }
  // Of stored().
  const SpanDirectory& directory() const { return directory_; }

  // The heads of an index by `rule`: each query head averages the keys that it attended to itself (kMean4), else query
  // heads share those of their KV head.
  static int64_t IndexHeads(const IndexRule& rule, int64_t heads, int64_t kv_heads) {
    return rule.kind == IndexVectors::kMean4 ? heads : kv_heads;
  }

  // Where the stored spans end: everything from here on is local. `sinks` when there are none.
  int64_t local_begin() const { return stored().empty() ? cutter_->options().sinks : stored().back().end; }

  // Forgets tokens >= `tokens`; spans that end behind `window_begin` leave the index but stay cut.
  void Truncate(int64_t tokens, int64_t window_begin);

  int64_t bytes() const;

 private:
  void FixMean(const KvStore& store);
  void Index(const Span& span, const KvStore& store);
  void AppendVectors(const Span& span, int64_t head, const KvStore& store, int64_t* count);

  std::unique_ptr<SpanCutter> cutter_;
  IndexRule rule_;
  int64_t heads_;
  int64_t kv_heads_;
  int64_t head_dim_;
  std::vector<Span> spans_;
  SpanIndex index_;
  SpanDirectory directory_;
  // Attention received by tokens from received_begin_ on, a vector a query head; only what is not stored yet is kept.
  int64_t received_begin_ = 0;
  std::vector<std::vector<float>> received_;
  std::vector<float> vectors_;  // scratch of Index
};

}  // namespace ltri

#endif  // LTRI_MEMORY_SPAN_MEMORY_H_
