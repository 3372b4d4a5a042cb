// KvStore: the keys and values of one layer, 16 bits, keys un-rotated, in chunks.
//
// A copy shares its chunks with the original; whoever writes into a shared chunk gets its own first. Not thread safe
// for writing; any number of threads may read.
#ifndef LTRI_MEMORY_KV_STORE_H_
#define LTRI_MEMORY_KV_STORE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/half.h"
#include "ops/attend.h"

namespace ltri {

class KvStore {
 public:
  KvStore(int64_t kv_heads, int64_t head_dim) : kv_heads_(kv_heads), head_dim_(head_dim) {}

  int64_t size() const { return size_; }  // tokens, dropped ones included

  // Tokens [begin, begin + count) get these keys and values, both [count, kv_heads, head_dim]; begin <= size().
  void Write(int64_t begin, int64_t count, const float* k, const float* v);

  // Forgets tokens >= `tokens`.
  void Truncate(int64_t tokens);

  // Frees whole chunks within [begin, end). Their tokens must not be read again.
  void Drop(int64_t begin, int64_t end);

  // Tokens [begin, end) of a head as runs; the first token stands at `position`. Appends to runs.
  void AppendRuns(int64_t kv_head, int64_t begin, int64_t end, int64_t position, std::vector<KeyRun>* runs) const;

  // The key of one token. out: [head_dim].
  void CopyKey(int64_t kv_head, int64_t token, float* out) const;

  // For benches: repeats what lies behind the last gap until there are `tokens`. Each copy's keys differ a little from
  // the original's. New chunks that end at or before `first` are left out; after kCopied tokens, copies are shared.
  void Stretch(int64_t tokens, int64_t first);
  static constexpr int64_t kCopied = 131072;

  // Memory of all chunks, those shared with copies included.
  int64_t bytes() const;

 private:
  static constexpr int64_t kChunk = 256;  // tokens
  using Chunk = std::vector<Half>;        // [kv_heads, keys | values, kChunk, head_dim]

  int64_t Offset(int64_t kv_head, bool values, int64_t token) const {
    return ((kv_head * 2 + (values ? 1 : 0)) * kChunk + token % kChunk) * head_dim_;
  }
  Chunk& Writable(int64_t chunk);
  void CopyToken(int64_t from, int64_t to, uint64_t noise);

  int64_t kv_heads_;
  int64_t head_dim_;
  int64_t size_ = 0;
  std::vector<std::shared_ptr<Chunk>> chunks_;  // null: dropped
};

}  // namespace ltri

#endif  // LTRI_MEMORY_KV_STORE_H_
