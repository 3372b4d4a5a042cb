// Tier: the RAM that the blocks of some sessions share, and the files where blocks are that do not fit.
//
// A block is a string of bytes: keys and values of a stretch of text, or a segment of an index. It is written in RAM;
// sealed, it does not change any more and may leave RAM when the tier has a budget, the longest unused first, to come
// back when it is held. Without a budget nothing leaves.
//
// Thread safety: all of Tier; of a block, data() while it is held or its tier needs no holds.
#ifndef LTRI_MEMORY_TIER_H_
#define LTRI_MEMORY_TIER_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "ltri/result.h"
#include "memory/block_file.h"
#include "memory/frame_pool.h"

namespace ltri {

class Tier;

// What a block holds. Every search reads most of an index, so index blocks leave last.
enum class BlockUse { kKeys, kIndex };

class Block : public std::enable_shared_from_this<Block> {
 public:
  // Null while it is not in RAM.
  std::byte* data() const { return data_; }
  int64_t bytes() const { return bytes_; }
  bool sealed() const { return sealed_; }

  Block(std::shared_ptr<Tier> tier, int64_t bytes, BlockUse use)
      : tier_(std::move(tier)), bytes_(bytes), use_(use) {}  // for Tier
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

 private:
  friend class Tier;

  std::shared_ptr<Tier> tier_;
  std::byte* data_ = nullptr;
  int64_t bytes_;
  std::shared_ptr<BlockFile> home_;  // null: nowhere on disk
  int64_t offset_ = 0;               // there
  std::list<Block*>::iterator idle_{};
  int32_t held_ = 0;
  BlockUse use_;
  bool sealed_ = false;
  bool is_idle_ = false;  // sealed, in RAM and not held: idle_ says where in the order of leaving
};

using BlockRef = std::shared_ptr<Block>;

// Keeps blocks in RAM while it lives.
class BlockHold {
 public:
  BlockHold() = default;
  BlockHold(BlockHold&& other) noexcept
      : tier_(std::exchange(other.tier_, nullptr)),
        blocks_(std::move(other.blocks_)),
        owned_(std::move(other.owned_)) {}
  BlockHold& operator=(BlockHold&& other) noexcept;
  ~BlockHold();

 private:
  friend class Tier;
  BlockHold(Tier* tier, std::vector<Block*> blocks) : tier_(tier), blocks_(std::move(blocks)) {
    for (Block* block : blocks_) owned_.push_back(block->shared_from_this());
  }

  Tier* tier_ = nullptr;
  std::vector<Block*> blocks_;
  std::vector<BlockRef> owned_;  // a block may be replaced while it is held
};

class Tier : public std::enable_shared_from_this<Tier> {
 public:
  static constexpr int64_t kUnlimited = 0;

  // budget: bytes of RAM for blocks. overflow: where blocks go that leave RAM and are on no disk yet; without one they
  // stay. What is held and what is being written may exceed the budget by a tenth.
  static std::shared_ptr<Tier> Create(int64_t budget = kUnlimited, std::shared_ptr<BlockFile> overflow = nullptr);

  bool limited() const { return budget_ != kUnlimited; }
  // Whether a block may be out of RAM: if not, nothing has to be held.
  bool needs_holds() const { return limited() || has_found_; }
  int64_t budget() const { return budget_; }
  // What blocks may take: the budget less what sessions keep beside them (BesideShare), but half of it at least.
  int64_t block_budget() const { return std::max(budget_ - beside_, budget_ / 2); }
  int64_t resident() const;  // bytes

  // A new block, in RAM, contents undefined. Throws std::bad_alloc.
  BlockRef Make(int64_t bytes, BlockUse use);
  // A sealed block that is in a file.
  BlockRef Find(std::shared_ptr<BlockFile> file, int64_t offset, int64_t bytes, BlockUse use);

  void Seal(Block& block);

  // Brings blocks into RAM and keeps them there. Null pointers are passed over. pool:
  // reads files; may be null. Errors: those of reading and writing files; kOutOfMemory when they do not fit the budget.
  Result<BlockHold> Hold(ThreadPool* pool, std::vector<Block*> blocks);

  // Lets blocks leave until the budget is kept, as far as they can.
  Status Shrink();

  // Where a sealed block is in `file`; it is added when it is not there yet.
  Result<int64_t> Save(Block& block, const std::shared_ptr<BlockFile>& file);

 private:
  friend class Block;
  friend class BlockHold;
  friend class BesideShare;

  Tier(int64_t budget, std::shared_ptr<BlockFile> overflow) : budget_(budget), overflow_(std::move(overflow)) {}

  // With mutex_ held.
  void Allocate(Block& block);
  void Free(Block& block);
  void BecomeIdle(Block& block);
  void EndIdle(Block& block);
  Status MakeRoom(int64_t bytes);
  Status Leave(Block& block);
  Status Load(ThreadPool* pool, std::span<Block* const> blocks);

  void Release(std::span<Block* const> blocks);
  void Remove(Block& block);

  const int64_t budget_;
  const std::shared_ptr<BlockFile> overflow_;
  std::atomic<int64_t> beside_ = 0;
  std::atomic<bool> has_found_ = false;  // blocks that were in a file before they were in RAM
  mutable std::mutex mutex_;
  int64_t resident_ = 0;
  std::map<int64_t, FramePool> frames_;       // by bytes of a frame
  std::list<Block*> idle_keys_, idle_index_;  // the longest unused first
};

// What a session keeps in RAM beside its blocks (lists of spans, centroids of an index) grows with the text too, and
// counts against the tier's budget while this lives.
class BesideShare {
 public:
  explicit BesideShare(std::shared_ptr<Tier> tier) : tier_(std::move(tier)) {}
  BesideShare(const BesideShare& other) : tier_(other.tier_) { Set(other.bytes_); }
  BesideShare& operator=(const BesideShare&) = delete;
  ~BesideShare() { Set(0); }

  void Set(int64_t bytes) {
    tier_->beside_ += bytes - bytes_;
    bytes_ = bytes;
  }

 private:
  std::shared_ptr<Tier> tier_;
  int64_t bytes_ = 0;
};

}  // namespace ltri

#endif  // LTRI_MEMORY_TIER_H_
