#include "memory/tier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace ltri {
namespace {

// Blocks of about one size share a pool.
int64_t FrameBytes(int64_t bytes) {
  constexpr int64_t kUnit = 4096;
  return (bytes + kUnit - 1) / kUnit * kUnit;
}

}  // namespace

Block::~Block() { tier_->Remove(*this); }

BlockHold& BlockHold::operator=(BlockHold&& other) noexcept {
  std::swap(tier_, other.tier_);
  std::swap(blocks_, other.blocks_);
  std::swap(owned_, other.owned_);
  return *this;
}

BlockHold::~BlockHold() {
  if (tier_ != nullptr) tier_->Release(blocks_);
}

std::shared_ptr<Tier> Tier::Create(int64_t budget, std::shared_ptr<BlockFile> overflow) {
  return std::shared_ptr<Tier>(new Tier(budget, std::move(overflow)));
}

int64_t Tier::resident() const {
  const std::lock_guard lock(mutex_);
  return resident_;
}

BlockRef Tier::Make(int64_t bytes, BlockUse use) {
  auto block = std::make_shared<Block>(shared_from_this(), bytes, use);
  const std::lock_guard lock(mutex_);
  Allocate(*block);
  return block;
}

BlockRef Tier::Find(std::shared_ptr<BlockFile> file, int64_t offset, int64_t bytes, BlockUse use) {
  auto block = std::make_shared<Block>(shared_from_this(), bytes, use);
  block->home_ = std::move(file);
  block->offset_ = offset;
  block->sealed_ = true;
  has_found_ = true;
  return block;
}

void Tier::Seal(Block& block) {
  const std::lock_guard lock(mutex_);
  if (block.sealed_) return;
  block.sealed_ = true;
  if (block.held_ == 0) BecomeIdle(block);
}

Result<BlockHold> Tier::Hold(ThreadPool* pool, std::vector<Block*> blocks) {
  std::erase(blocks, nullptr);
  const std::lock_guard lock(mutex_);
  std::vector<Block*> absent;
  for (Block* block : blocks) {
    if (block->held_++ > 0) continue;
    if (block->is_idle_) EndIdle(*block);
    if (block->data_ == nullptr) absent.push_back(block);
  }
  if (!absent.empty()) {
    if (Status status = Load(pool, absent); !status.ok()) {
      for (Block* block : blocks) {
        if (--block->held_ == 0 && block->sealed_ && block->data_ != nullptr) BecomeIdle(*block);
      }
      return status.error();
    }
  }
  return BlockHold(this, std::move(blocks));
}

Status Tier::Load(ThreadPool* pool, std::span<Block* const> blocks) {
  int64_t bytes = 0;
  for (const Block* block : blocks) bytes += FrameBytes(block->bytes_);
  if (limited()) {
    if (Status status = MakeRoom(bytes); !status.ok()) return status;
    if (resident_ + bytes > budget_ + budget_ / 10) {
      return Error{ErrorCode::kOutOfMemory, fmt::format("a memory of {} MB is too small: one step needs {} MB",
                                                        budget_ >> 20, (resident_ + bytes + (1 << 20) - 1) >> 20)};
    }
  }
  for (Block* block : blocks) {
    Allocate(*block);
    block->home_->WillRead(block->offset_, block->bytes_);  // so that the disk has all of them to do at once
  }
  std::vector<Status> read(blocks.size());
  const auto read_one = [&](int64_t i, int) {
    const Block& block = *blocks[static_cast<size_t>(i)];
    read[static_cast<size_t>(i)] = block.home_->Read(block.offset_, {block.data_, static_cast<size_t>(block.bytes_)});
  };
  const auto count = static_cast<int64_t>(blocks.size());
  if (pool != nullptr) {
    pool->Run(count, read_one);
  } else {
    for (int64_t i = 0; i < count; ++i) read_one(i, 0);
  }
  const auto failed = std::find_if(read.begin(), read.end(), [](const Status& status) { return !status.ok(); });
  if (failed == read.end()) return {};
  for (Block* block : blocks) Free(*block);
  return *failed;
}

Status Tier::Shrink() {
  const std::lock_guard lock(mutex_);
  return limited() ? MakeRoom(0) : Status();
}

Result<int64_t> Tier::Save(Block& block, const std::shared_ptr<BlockFile>& file) {
  assert(block.sealed_);
  const std::lock_guard lock(mutex_);
  if (block.home_ == file) return block.offset_;
  const auto size = static_cast<size_t>(block.bytes_);
  std::vector<std::byte> copy;
  if (block.data_ == nullptr) {
    copy.resize(size);
    if (Status status = block.home_->Read(block.offset_, copy); !status.ok()) return status.error();
  }
  Result<int64_t> offset = file->Append({block.data_ != nullptr ? block.data_ : copy.data(), size});
  if (offset.ok() && (block.home_ == nullptr || block.home_ == overflow_)) {
    if (block.home_ != nullptr) overflow_->Forget(block.offset_, block.bytes_);
    block.home_ = file;
    block.offset_ = *offset;
  }
  return offset;
}

void Tier::Allocate(Block& block) {
  const int64_t frame = FrameBytes(block.bytes_);
  block.data_ = frames_.try_emplace(frame, frame).first->second.Take();
  resident_ += frame;
}

void Tier::Free(Block& block) {
  const int64_t frame = FrameBytes(block.bytes_);
  frames_.at(frame).Give(block.data_);
  block.data_ = nullptr;
  resident_ -= frame;
}

void Tier::BecomeIdle(Block& block) {
  if (!limited()) return;
  std::list<Block*>& order = block.use_ == BlockUse::kKeys ? idle_keys_ : idle_index_;
  block.idle_ = order.insert(order.end(), &block);
  block.is_idle_ = true;
}

void Tier::EndIdle(Block& block) {
  (block.use_ == BlockUse::kKeys ? idle_keys_ : idle_index_).erase(block.idle_);
  block.is_idle_ = false;
}

// Lets blocks leave until `bytes` more are within the budget.
Status Tier::MakeRoom(int64_t bytes) {
  for (std::list<Block*>* order : {&idle_keys_, &idle_index_}) {
    for (auto next = order->begin(); next != order->end() && resident_ + bytes > block_budget();) {
      Block& block = **next++;
      if (Status status = Leave(block); !status.ok()) return status;
    }
  }
  return {};
}

Status Tier::Leave(Block& block) {
  if (block.home_ == nullptr) {
    if (overflow_ == nullptr) return {};
    Result<int64_t> offset = overflow_->Append({block.data_, static_cast<size_t>(block.bytes_)});
    if (!offset.ok()) return offset.error();
    block.home_ = overflow_;
    block.offset_ = *offset;
  }
  EndIdle(block);
  Free(block);
  return {};
}

void Tier::Release(std::span<Block* const> blocks) {
  const std::lock_guard lock(mutex_);
  for (Block* block : blocks) {
    if (--block->held_ == 0 && block->sealed_ && block->data_ != nullptr) BecomeIdle(*block);
  }
}

void Tier::Remove(Block& block) {
  const std::lock_guard lock(mutex_);
  if (block.is_idle_) EndIdle(block);
  if (block.data_ != nullptr) Free(block);
  if (block.home_ != nullptr && block.home_ == overflow_) overflow_->Forget(block.offset_, block.bytes_);
}

}  // namespace ltri
