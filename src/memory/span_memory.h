// SpanMemory: the spans of one layer and the index over those that have left the window.
#ifndef LTRI_MEMORY_SPAN_MEMORY_H_
#define LTRI_MEMORY_SPAN_MEMORY_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "memory/kv_store.h"
#include "memory/span_index.h"
#include "memory/span_list.h"
#include "spans/index_vectors.h"
#include "spans/span_cutter.h"
#include "spans/span_directory.h"

namespace ltri {

class SpanMemory {
 public:
  // kv_heads keys a token; `heads` query heads share them. tier: of the index,
  // which has one head each of those that the rule makes and is empty.
  SpanMemory(std::unique_ptr<SpanCutter> cutter, const IndexRule& rule, int64_t heads, int64_t kv_heads,
             std::shared_ptr<Tier> tier, SpanIndex index);
  SpanMemory(const SpanMemory& other);
  SpanMemory& operator=(const SpanMemory&) = delete;

  bool NeedsBand() const { return cutter_->NeedsBand(); }
  bool NeedsReceived() const { return ltri::NeedsReceived(rule_); }

  // Rows of the band of tokens [begin, begin + count), [count, width]; sinks are skipped. Empty if !NeedsBand().
  void Push(int64_t begin, int64_t count, std::span<const float> band, int64_t width);

  // Adds to the attention that tokens [begin, begin + count) received. received: [heads, count].
  void AddReceived(int64_t begin, int64_t count, std::span<const float> received);

  // Moves the spans that end at or before `limit` into the index. store: see AppendBlocks.
  void StoreUntil(int64_t limit, const KvStore& store);
  // The blocks of `store` that StoreUntil reads.
  void AppendBlocks(int64_t limit, const KvStore& store, std::vector<Block*>* blocks) const;

  // The text is over: what is left becomes spans, and all of them are stored.
  void Finish(const KvStore& store);

  // Puts the spans of a finished text behind these, its token 0 at `begin`; what were its sinks becomes a span too
  // unless it is the first text. other_store: of that text, its sinks held.
  void Join(const SpanMemory& other, const KvStore& other_store, int64_t begin);

  // What the index puts off until there is time: full segments are clustered.
  void Tidy() { index_.Seal(); }

  // Spans in the index, and all that are cut.
  std::span<const Span> stored() const { return {spans().data(), static_cast<size_t>(index_.spans())}; }
  const std::vector<Span>& spans() const { return spans_.all(); }
  const SpanIndex& index() const { return index_; }
  // Of stored().
  const SpanDirectory& directory() const { return directory_; }

  // The heads of an index by `rule`: each query head averages the keys that it attended to itself (kMean4), else query
  // heads share those of their KV head.
  static int64_t IndexHeads(const IndexRule& rule, int64_t heads, int64_t kv_heads) {
    return rule.kind == IndexVectors::kMean4 ? heads : kv_heads;
  }

  // Where the stored spans end: everything from here on is local. The first token that may be in a span when there are
  // none.
  int64_t local_begin() const {
    return stored().empty() ? first_token() : std::max(first_token(), stored().back().end);
  }

  // The text that is to be cut begins at token `first`. Before the first Push.
  void StartAt(int64_t first);

  // Forgets tokens >= `tokens`; spans that end behind `window_begin` leave the index but stay cut. Error: the index
  // cannot be read; nothing changes then.
  Status Truncate(int64_t tokens, int64_t window_begin);

  // What does not change any more goes to `file`, the rest into the state.
  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state);
  // What Save wrote of a text of `tokens`, for a memory like this one, which is empty.
  Status Restore(const std::shared_ptr<BlockFile>& file, int64_t tokens, StateReader* state);

  // In RAM, but for the blocks of the index.
  int64_t BesideBlocks() const;

 private:
  // Of the text that is being cut: sinks, and joined texts, lie before it.
  int64_t first_token() const { return cutter_->options().sinks; }
  int64_t MeanTokens() const;
  void FixMean(const KvStore& store);
  void Index(const Span& span, const KvStore& store);
  void AppendVectors(const Span& span, int64_t head, const KvStore& store, int64_t* count);

  std::unique_ptr<SpanCutter> cutter_;
  IndexRule rule_;
  int64_t heads_;
  int64_t kv_heads_;
  int64_t head_dim_;
  std::shared_ptr<Tier> tier_;
  SpanList spans_;
  SpanIndex index_;
  SpanDirectory directory_;
  // Attention received by tokens from received_begin_ on, a vector a query head; only what is not stored yet is kept.
  int64_t received_begin_ = 0;
  std::vector<std::vector<float>> received_;
  std::vector<float> vectors_;  // scratch of Index
};

}  // namespace ltri

#endif  // LTRI_MEMORY_SPAN_MEMORY_H_
