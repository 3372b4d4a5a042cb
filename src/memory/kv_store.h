// KvStore: the keys and values of one layer, 16 bits, keys un-rotated, in chunks.
//
// A copy shares its chunks with the original; whoever writes into a shared chunk gets its own first. In a tier with a
// budget, chunks may be on disk: what is read or written into must be held (see AppendBlocks). Not thread safe for
// writing; any number of threads may read.
#ifndef LTRI_MEMORY_KV_STORE_H_
#define LTRI_MEMORY_KV_STORE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/half.h"
#include "base/serial.h"
#include "memory/tier.h"
#include "ops/attend.h"

namespace ltri {

class KvStore {
 public:
  // A chunk is what comes back from disk for a span of some 17 tokens, so it is short.
  static constexpr int64_t kChunk = 128;  // tokens

  KvStore(int64_t kv_heads, int64_t head_dim, std::shared_ptr<Tier> tier)
      : kv_heads_(kv_heads), head_dim_(head_dim), tier_(std::move(tier)) {}

  int64_t head_dim() const { return head_dim_; }
  int64_t size() const { return size_; }  // tokens, dropped ones included

  // Tokens [begin, begin + count) get these keys and values, both [count, kv_heads, head_dim]; begin <= size().
  void Write(int64_t begin, int64_t count, const float* k, const float* v);

  // Forgets tokens >= `tokens`.
  void Truncate(int64_t tokens);

  // Frees whole chunks within [begin, end). Their tokens must not be read again.
  void Drop(int64_t begin, int64_t end);

  // Chunks that end at or before `end` may leave RAM.
  void Seal(int64_t end);

  // The tokens of another store are put behind these, from the next whole chunk on, and what is between them and the
  // next whole chunk is no text; returns the first one's place.
  int64_t AppendStore(const KvStore& other);

  // Whether none of tokens [begin, end) was dropped.
  bool Has(int64_t begin, int64_t end) const;

  // The blocks that hold tokens [begin, end), as far as there are any.
  void AppendBlocks(int64_t begin, int64_t end, std::vector<Block*>* blocks) const;

  // Tokens [begin, end) of a head as runs; the first token stands at `position`. Appends to runs.
  void AppendRuns(int64_t kv_head, int64_t begin, int64_t end, int64_t position, std::vector<KeyRun>* runs) const;

  // The key of one token. out: [head_dim].
  void CopyKey(int64_t kv_head, int64_t token, float* out) const;

  // For benches: repeats what lies behind the last gap until there are `tokens`. Each copy's keys differ a little from
  // the original's. New chunks that end at or before `first` are left out; after kCopied tokens, copies are shared.
  // What is repeated is held.
  Status Stretch(int64_t tokens, int64_t first);
  static constexpr int64_t kCopied = 131072;

  // Whole chunks go to `file`, the rest into the state.
  Status Save(const std::shared_ptr<BlockFile>& file, StateWriter* state);
  // What Save wrote, for the same kv_heads and head_dim.
  void Restore(const std::shared_ptr<BlockFile>& file, StateReader* state);

  // RAM of all chunks, those shared with copies included.
  int64_t bytes() const;
  int64_t bytes_on_disk() const;  // of chunks that are not in RAM

 private:
  int64_t ChunkHalves() const { return kv_heads_ * 2 * kChunk * head_dim_; }
  int64_t ChunkBytes() const { return ChunkHalves() * static_cast<int64_t>(sizeof(Half)); }
  // [kv_heads, keys | values, kChunk, head_dim]
  int64_t Offset(int64_t kv_head, bool values, int64_t token) const {
    return ((kv_head * 2 + (values ? 1 : 0)) * kChunk + token % kChunk) * head_dim_;
  }
  const Half* Chunk(int64_t token) const {
    return reinterpret_cast<const Half*>(chunks_[static_cast<size_t>(token / kChunk)]->data());
  }
  Half* Writable(int64_t index);
  void CopyToken(int64_t from, int64_t to, uint64_t noise);

  int64_t kv_heads_;
  int64_t head_dim_;
  std::shared_ptr<Tier> tier_;
  int64_t size_ = 0;
  int64_t sealed_ = 0;            // chunks before this one are sealed, dropped ones aside
  std::vector<BlockRef> chunks_;  // null: dropped
};

}  // namespace ltri

#endif  // LTRI_MEMORY_KV_STORE_H_
