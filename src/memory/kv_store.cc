#include "memory/kv_store.h"

#include <algorithm>
#include <cassert>
#include <random>

#include "ops/convert.h"

namespace ltri {

KvStore::Chunk& KvStore::Writable(int64_t chunk) {
  const auto index = static_cast<size_t>(chunk);
  if (index >= chunks_.size()) chunks_.resize(index + 1);
  std::shared_ptr<Chunk>& slot = chunks_[index];
  if (slot == nullptr) {
    slot = std::make_shared<Chunk>(static_cast<size_t>(kv_heads_ * 2 * kChunk * head_dim_));
  } else if (slot.use_count() > 1) {
    slot = std::make_shared<Chunk>(*slot);
  }
  return *slot;
}

void KvStore::Write(int64_t begin, int64_t count, const float* k, const float* v) {
  assert(begin <= size_);
  const int64_t row = kv_heads_ * head_dim_;
  for (int64_t token = begin; token < begin + count; ++token, k += row, v += row) {
    Chunk& chunk = Writable(token / kChunk);
    for (int64_t head = 0; head < kv_heads_; ++head) {
      FloatToHalf(k + head * head_dim_, head_dim_, chunk.data() + Offset(head, false, token));
      FloatToHalf(v + head * head_dim_, head_dim_, chunk.data() + Offset(head, true, token));
    }
  }
  size_ = std::max(size_, begin + count);
}

void KvStore::Truncate(int64_t tokens) {
  size_ = std::min(size_, tokens);
  chunks_.resize(static_cast<size_t>((size_ + kChunk - 1) / kChunk));
}

void KvStore::Drop(int64_t begin, int64_t end) {
  const int64_t last = std::min(end / kChunk, static_cast<int64_t>(chunks_.size()));
  // Earlier chunks were dropped before: stop at the first gap.
  for (int64_t chunk = last - 1; chunk >= (begin + kChunk - 1) / kChunk; --chunk) {
    std::shared_ptr<Chunk>& slot = chunks_[static_cast<size_t>(chunk)];
    if (slot == nullptr) break;
    slot.reset();
  }
}

void KvStore::AppendRuns(int64_t kv_head, int64_t begin, int64_t end, int64_t position,
                         std::vector<KeyRun>* runs) const {
  while (begin < end) {
    const int64_t count = std::min(end, (begin / kChunk + 1) * kChunk) - begin;
    const Chunk& chunk = *chunks_[static_cast<size_t>(begin / kChunk)];
    runs->push_back(
        {chunk.data() + Offset(kv_head, false, begin), chunk.data() + Offset(kv_head, true, begin), count, position});
    begin += count;
    position += count;
  }
}

void KvStore::CopyKey(int64_t kv_head, int64_t token, float* out) const {
  const Chunk& chunk = *chunks_[static_cast<size_t>(token / kChunk)];
  HalfToFloat(chunk.data() + Offset(kv_head, false, token), head_dim_, out);
}

void KvStore::CopyToken(int64_t from, int64_t to, uint64_t noise) {
  Chunk& chunk = Writable(to / kChunk);
  const Chunk& source = *chunks_[static_cast<size_t>(from / kChunk)];
  for (int64_t head = 0; head < kv_heads_; ++head) {
    const Half* key = source.data() + Offset(head, false, from);
    Half* out = chunk.data() + Offset(head, false, to);
    // The last two of a key's ten bits: copies are alike, but nothing that is computed of them ties.
    for (int64_t j = 0; j < head_dim_; ++j) out[j] = static_cast<Half>(key[j] ^ ((noise >> (j % 62)) & 3U));
    std::copy_n(source.data() + Offset(head, true, from), head_dim_, chunk.data() + Offset(head, true, to));
  }
}

void KvStore::Stretch(int64_t tokens, int64_t first) {
  if (tokens <= size_ || size_ == 0) return;
  auto base = static_cast<int64_t>(chunks_.size());
  while (base > 0 && chunks_[static_cast<size_t>(base - 1)] != nullptr) --base;
  base *= kChunk;
  const int64_t period = size_ - base;
  chunks_.resize(static_cast<size_t>((tokens + kChunk - 1) / kChunk));
  std::mt19937_64 noise(1);
  std::vector<std::shared_ptr<Chunk>> copies;
  for (int64_t begin = size_; begin < tokens;) {
    const int64_t end = std::min(tokens, (begin / kChunk + 1) * kChunk);
    std::shared_ptr<Chunk>& slot = chunks_[static_cast<size_t>(begin / kChunk)];
    if (end > first && static_cast<int64_t>(copies.size()) * kChunk < kCopied) {
      for (int64_t t = begin; t < end; ++t) CopyToken(base + (t - base) % period, t, noise());
      copies.push_back(slot);
    } else if (end > first) {
      slot = copies[static_cast<size_t>(begin / kChunk) % copies.size()];
    }
    begin = end;
  }
  size_ = tokens;
}

int64_t KvStore::bytes() const {
  const auto present =
      std::count_if(chunks_.begin(), chunks_.end(), [](const auto& chunk) { return chunk != nullptr; });
  return present * kv_heads_ * 2 * kChunk * head_dim_ * static_cast<int64_t>(sizeof(Half));
}

}  // namespace ltri
