// BlockPool: blocks of keys and values on the card and, when it is full, in the host's memory; handed out and taken
// back.
#ifndef LTRI_CUDA_BLOCK_POOL_H_
#define LTRI_CUDA_BLOCK_POOL_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "base/half.h"
#include "ops/cuda/device.h"

namespace ltri::cuda {

// Both are asked for many blocks at once: the card's allocations wait for all work, the host's lock pages. Thread safe:
// a session may end while another one's step runs. Blocks keep what the pool holds alive.
class BlockPool {
 public:
  static constexpr int64_t kArenaBytes = int64_t{256} << 20;

  // most: bytes of the card that blocks may take; 0: all that is free but a thirty-second part of the card, and what
  // those who ask want left.
  BlockPool(int64_t block_bytes, int64_t most) : shared_(std::make_shared<Shared>()), most_(most) {
    shared_->block_bytes = block_bytes;
  }

  int64_t block_bytes() const { return shared_->block_bytes; }
  // What keys and values should leave on the card when it is not known what grows beside them.
  static int64_t Apart() { return MemoryOfCard().total * 3 / 32; }

  // Makes room for `blocks` that nobody has, so that whoever takes them does not wait. apart: bytes of the card to
  // leave, unless `most` was given: for what grows with a text. May throw std::bad_alloc.
  void Reserve(int64_t blocks, int64_t apart) {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    const auto missing = [&] {
      return blocks > static_cast<int64_t>(shared_->on_card.size() + shared_->on_host.size());
    };
    while (missing() && GrowOnCard(apart)) {
    }
    while (missing()) GrowOnHost();
  }

  // A block on the card, not cleared; null when there is no room for another. apart: as above.
  std::shared_ptr<Half> Take(int64_t apart) {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    if (shared_->on_card.empty() && !GrowOnCard(apart)) return nullptr;
    return HandOut(&Shared::on_card);
  }

  // A block in pinned memory, which the card reads and writes over its bus as if it were its own. at_once: at most so
  // many bytes are taken from the system for this and later ones. May throw std::bad_alloc.
  std::shared_ptr<Half> TakeOnHost(int64_t at_once = kArenaBytes) {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    if (shared_->on_host.empty()) GrowOnHost(at_once);
    return HandOut(&Shared::on_host);
  }

 private:
  struct Shared {
    std::mutex mutex;
    int64_t block_bytes = 0;
    std::vector<Buffer> card_arenas;
    std::vector<std::unique_ptr<PinnedBuffer>> host_arenas;
    std::vector<Half*> on_card;  // free ones
    std::vector<Half*> on_host;
  };

  std::shared_ptr<Half> HandOut(std::vector<Half*> Shared::*from) {
    std::vector<Half*>& free = *shared_.*from;
    Half* block = free.back();
    free.pop_back();
    return {block, [shared = shared_, from](Half* given) {
              const std::lock_guard<std::mutex> lock(shared->mutex);
              (*shared.*from).push_back(given);
            }};
  }

  bool GrowOnCard(int64_t apart) {
    const CardMemory memory = MemoryOfCard();
    const int64_t room = most_ > 0 ? most_ - taken_ : memory.free - memory.total / 32 - apart;
    const int64_t count = std::min(std::max<int64_t>(1, kArenaBytes / block_bytes()), room / block_bytes());
    if (count <= 0) return false;
    try {
      shared_->card_arenas.emplace_back(count * block_bytes());
    } catch (const std::bad_alloc&) {
      return false;
    }
    taken_ += count * block_bytes();
    Split(shared_->card_arenas.back().as<Half>(), count, shared_->on_card);
    return true;
  }

  void GrowOnHost(int64_t at_once = kArenaBytes) {
    const int64_t count = std::max<int64_t>(1, std::min(at_once, kArenaBytes) / block_bytes());
    shared_->host_arenas.push_back(std::make_unique<PinnedBuffer>(count * block_bytes()));
    Split(shared_->host_arenas.back()->as<Half>(), count, shared_->on_host);
  }

  void Split(Half* arena, int64_t count, std::vector<Half*>& free) const {
    for (int64_t i = 0; i < count; ++i)
      free.push_back(arena + i * (block_bytes() / static_cast<int64_t>(sizeof(Half))));
  }

  std::shared_ptr<Shared> shared_;
  int64_t most_;
  int64_t taken_ = 0;
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_BLOCK_POOL_H_
