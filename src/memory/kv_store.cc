#include "memory/kv_store.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <random>

#include "ops/convert.h"

namespace ltri {

namespace {

constexpr int64_t kDropped = -1;                // in place of a chunk's offset
constexpr int64_t kLongest = int64_t{1} << 40;  // tokens; more is no text but a damaged file

}  // namespace

// A chunk that no copy shares and no file holds.
Half* KvStore::Writable(int64_t index) {
  const auto at = static_cast<size_t>(index);
  if (at >= chunks_.size()) chunks_.resize(at + 1);
  BlockRef& slot = chunks_[at];
  if (slot == nullptr || slot.use_count() > 1 || slot->sealed()) {
    BlockRef fresh = tier_->Make(ChunkBytes(), BlockUse::kKeys);
    if (slot == nullptr) {
      std::memset(fresh->data(), 0, static_cast<size_t>(ChunkBytes()));
    } else {
      std::memcpy(fresh->data(), slot->data(), static_cast<size_t>(ChunkBytes()));
    }
    slot = std::move(fresh);
    sealed_ = std::min(sealed_, index);
  }
  return reinterpret_cast<Half*>(slot->data());
}

void KvStore::Write(int64_t begin, int64_t count, const float* k, const float* v) {
  assert(begin <= size_);
  const int64_t row = kv_heads_ * head_dim_;
  Half* chunk = nullptr;
  for (int64_t token = begin; token < begin + count; ++token, k += row, v += row) {
    if (chunk == nullptr || token % kChunk == 0) chunk = Writable(token / kChunk);
    for (int64_t head = 0; head < kv_heads_; ++head) {
      FloatToHalf(k + head * head_dim_, head_dim_, chunk + Offset(head, false, token));
      FloatToHalf(v + head * head_dim_, head_dim_, chunk + Offset(head, true, token));
    }
  }
  size_ = std::max(size_, begin + count);
}

void KvStore::Truncate(int64_t tokens) {
  size_ = std::min(size_, tokens);
  chunks_.resize(static_cast<size_t>((size_ + kChunk - 1) / kChunk));
  sealed_ = std::min(sealed_, size_ / kChunk);
}

void KvStore::Drop(int64_t begin, int64_t end) {
  const int64_t last = std::min(end / kChunk, static_cast<int64_t>(chunks_.size()));
  // Earlier chunks were dropped before: stop at the first gap.
  for (int64_t chunk = last - 1; chunk >= (begin + kChunk - 1) / kChunk; --chunk) {
    BlockRef& slot = chunks_[static_cast<size_t>(chunk)];
    if (slot == nullptr) break;
    slot.reset();
  }
}

void KvStore::Seal(int64_t end) {
  for (; (sealed_ + 1) * kChunk <= std::min(end, size_); ++sealed_) {
    const BlockRef& slot = chunks_[static_cast<size_t>(sealed_)];
    if (slot != nullptr) tier_->Seal(*slot);
  }
}

int64_t KvStore::AppendStore(const KvStore& other) {
  const auto begin = static_cast<int64_t>(chunks_.size()) * kChunk;
  chunks_.insert(chunks_.end(), other.chunks_.begin(), other.chunks_.end());
  size_ = static_cast<int64_t>(chunks_.size()) * kChunk;
  return begin;
}

bool KvStore::Has(int64_t begin, int64_t end) const {
  if (end > size_) return false;
  for (int64_t chunk = begin / kChunk; chunk * kChunk < end; ++chunk) {
    if (chunks_[static_cast<size_t>(chunk)] == nullptr) return false;
  }
  return true;
}

void KvStore::AppendBlocks(int64_t begin, int64_t end, std::vector<Block*>* blocks) const {
  const int64_t last = std::min((end + kChunk - 1) / kChunk, static_cast<int64_t>(chunks_.size()));
  for (int64_t chunk = begin / kChunk; chunk < last; ++chunk) {
    Block* block = chunks_[static_cast<size_t>(chunk)].get();
    if (block != nullptr && (blocks->empty() || blocks->back() != block)) blocks->push_back(block);
  }
}

void KvStore::AppendRuns(int64_t kv_head, int64_t begin, int64_t end, int64_t position,
                         std::vector<KeyRun>* runs) const {
  while (begin < end) {
    const int64_t count = std::min(end, (begin / kChunk + 1) * kChunk) - begin;
    const Half* chunk = Chunk(begin);
    runs->push_back({chunk + Offset(kv_head, false, begin), chunk + Offset(kv_head, true, begin), count, position});
    begin += count;
    position += count;
  }
}

void KvStore::CopyKey(int64_t kv_head, int64_t token, float* out) const {
  HalfToFloat(Chunk(token) + Offset(kv_head, false, token), head_dim_, out);
}

void KvStore::CopyToken(int64_t from, int64_t to, uint64_t noise) {
  Half* chunk = Writable(to / kChunk);
  const Half* source = Chunk(from);
  for (int64_t head = 0; head < kv_heads_; ++head) {
    const Half* key = source + Offset(head, false, from);
    Half* out = chunk + Offset(head, false, to);
    // The last two of a key's ten bits: copies are alike, but nothing that is computed of them ties.
    for (int64_t j = 0; j < head_dim_; ++j) out[j] = static_cast<Half>(key[j] ^ ((noise >> (j % 62)) & 3U));
    std::copy_n(source + Offset(head, true, from), head_dim_, chunk + Offset(head, true, to));
  }
}

Status KvStore::Stretch(int64_t tokens, int64_t first) {
  if (tokens <= size_ || size_ == 0) return {};
  auto base = static_cast<int64_t>(chunks_.size());
  while (base > 0 && chunks_[static_cast<size_t>(base - 1)] != nullptr) --base;
  base *= kChunk;
  const int64_t period = size_ - base;
  chunks_.resize(static_cast<size_t>((tokens + kChunk - 1) / kChunk));
  std::mt19937_64 noise(1);
  std::vector<BlockRef> copies;
  for (int64_t begin = size_; begin < tokens;) {
    const int64_t end = std::min(tokens, (begin / kChunk + 1) * kChunk);
    BlockRef& slot = chunks_[static_cast<size_t>(begin / kChunk)];
    if (end > first && static_cast<int64_t>(copies.size()) * kChunk < kCopied) {
      for (int64_t t = begin; t < end; ++t) CopyToken(base + (t - base) % period, t, noise());
      copies.push_back(slot);
      if (tier_->limited() && end % kChunk == 0) {
        tier_->Seal(*slot);
        if (Status status = tier_->Shrink(); !status.ok()) return status;
      }
    } else if (end > first) {
      slot = copies[static_cast<size_t>(begin / kChunk) % copies.size()];
    }
    begin = end;
  }
  size_ = tokens;
  return {};
}

Status KvStore::Save(const std::shared_ptr<BlockFile>& file, StateWriter* state) {
  Seal(size_);
  state->Put(size_);
  std::vector<int64_t> offsets;  // of whole chunks in the file
  for (int64_t chunk = 0; chunk < size_ / kChunk; ++chunk) {
    const BlockRef& slot = chunks_[static_cast<size_t>(chunk)];
    offsets.push_back(kDropped);
    if (slot == nullptr) continue;
    Result<int64_t> offset = tier_->Save(*slot, file);
    if (!offset.ok()) return offset.error();
    offsets.back() = *offset;
  }
  state->PutAll(offsets);
  const bool rest = size_ % kChunk != 0 && chunks_.back() != nullptr;
  state->PutAll(std::span<const Half>(rest ? Chunk(size_) : nullptr, rest ? static_cast<size_t>(ChunkHalves()) : 0));
  return {};
}

void KvStore::Restore(const std::shared_ptr<BlockFile>& file, StateReader* state) {
  const auto size = state->GetWithin<int64_t>(0, kLongest, "a number of tokens");
  const std::vector<int64_t> offsets = state->GetAll<int64_t>(size / kChunk, "the list of chunks");
  const std::vector<Half> rest = state->GetAll<Half>();
  state->Check(rest.empty() || static_cast<int64_t>(rest.size()) == ChunkHalves(), "the last chunk has a wrong length");
  if (!state->ok()) return;
  for (const int64_t offset : offsets) {
    chunks_.push_back(offset == kDropped ? nullptr : tier_->Find(file, offset, ChunkBytes(), BlockUse::kKeys));
  }
  sealed_ = static_cast<int64_t>(chunks_.size());
  if (size % kChunk != 0) chunks_.push_back(nullptr);
  if (!rest.empty()) std::memcpy(Writable(size / kChunk), rest.data(), static_cast<size_t>(ChunkBytes()));
  size_ = size;
}

int64_t KvStore::bytes() const {
  const auto present = std::count_if(chunks_.begin(), chunks_.end(), [](const BlockRef& chunk) {
    return chunk != nullptr && chunk->data() != nullptr;
  });
  return present * ChunkBytes();
}

int64_t KvStore::bytes_on_disk() const {
  const auto absent = std::count_if(chunks_.begin(), chunks_.end(),
                                    [](const BlockRef& chunk) { return chunk != nullptr && chunk->data() == nullptr; });
  return absent * ChunkBytes();
}

}  // namespace ltri
