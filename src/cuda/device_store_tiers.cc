// Where a sequence's blocks lie: on the card, when it is full in the host's memory, and when that is full in a file.
#include <fmt/format.h>

#include <algorithm>

#include "cuda/device_store.h"
#include "ops/cuda/tokens.h"

namespace ltri::cuda {

void DeviceStore::LimitHost(int64_t bytes, std::shared_ptr<DiskBlocks> disk) {
  most_on_host_ = std::max<int64_t>(1, bytes / pool_->block_bytes());
  disk_ = std::move(disk);
}

Result<DeviceStore::Taken> DeviceStore::TakeBlock() {
  while (true) {
    if (std::shared_ptr<Half> block = pool_->Take(apart_); block != nullptr) return Taken{std::move(block), false};
    spilled_ = true;
    const Result<bool> moved = MoveOldest();
    if (!moved.ok()) return moved.error();
    if (!*moved) break;
  }
  Result<std::shared_ptr<Half>> block = TakeOnHost();
  if (!block.ok()) return block.error();
  return Taken{std::move(*block), true};
}

// From the card to the host. In stream order: what is queued already reads the block where it was. Blocks that others
// share would not become free.
Result<bool> DeviceStore::MoveOldest() {
  while (next_to_move_ < blocks_.size()) {
    const size_t i = next_to_move_++;
    if (blocks_[i].use_count() != 1 || on_host_[i] != 0) continue;
    Result<std::shared_ptr<Half>> moved = TakeOnHost();
    if (!moved.ok()) {
      next_to_move_ = i;
      return moved.error();
    }
    CopyOnDevice(stream_, moved->get(), blocks_[i].get(), pool_->block_bytes());
    SetBlock(i, {std::move(*moved), true});
    return true;
  }
  return false;
}

// A block of the host's memory, within the limit if that is possible.
Result<std::shared_ptr<Half>> DeviceStore::TakeOnHost() {
  if (disk_ == nullptr) return pool_->TakeOnHost();
  while (std::count(on_host_.begin(), on_host_.end(), 1) >= most_on_host_) {
    const Result<bool> written = WriteOldest();
    if (!written.ok()) return written.error();
    if (!*written) break;
  }
  return pool_->TakeOnHost(most_on_host_ * pool_->block_bytes());
}

// From the host to the file. False: all that could go is shared with a copy, so that its memory would not become free.
Result<bool> DeviceStore::WriteOldest() {
  bool shared = false;
  for (size_t i = kFirstToMove; i < std::min(first_kept_, blocks_.size()); ++i) {
    if (blocks_[i] == nullptr || on_host_[i] == 0) continue;
    shared = shared || blocks_[i].use_count() != 1;
    if (blocks_[i].use_count() != 1) continue;
    if (on_disk_[i] == nullptr) {
      if (packed_ == nullptr) packed_ = std::make_unique<PinnedBuffer>(disk_->block_bytes());
      PackBlock(stream_, shape_, blocks_[i].get(), packed_->as<Half>());
      if (Status status = Finish(stream_); !status.ok()) return status.error();
      Result<DiskBlocks::PlaceRef> place =
          disk_->Write({packed_->as<std::byte>(), static_cast<size_t>(disk_->block_bytes())});
      if (!place.ok()) return place.error();
      on_disk_[i] = std::move(*place);
    }
    SetBlock(i, {});
    ++departures_;
    return true;
  }
  if (shared) return false;
  return Error{
      ErrorCode::kOutOfMemory,
      fmt::format(
          "a memory of {} MB beside the card is too small: {} MB of keys and values have to be at hand "
          "in this step; give more --memory or --device-memory, a smaller --window, or read with "
          "--prefill stream",
          most_on_host_ * pool_->block_bytes() >> 20,
          static_cast<int64_t>(blocks_.size() - std::min(first_kept_, blocks_.size())) * pool_->block_bytes() >> 20)};
}

Status DeviceStore::ReadRows(int64_t layer, int64_t token, std::span<std::byte> rows) const {
  return disk_->Read(*on_disk_[static_cast<size_t>(token / kBlockTokens)], layer, token % kBlockTokens, rows);
}

void DeviceStore::WillReadRows(int64_t layer, int64_t token, int64_t count) const {
  disk_->WillRead(*on_disk_[static_cast<size_t>(token / kBlockTokens)], layer, token % kBlockTokens, count);
}

// A whole block of the file into a block of the host's memory, as kernels read it.
Status DeviceStore::ReadBlock(size_t i, Half* block) const {
  const int64_t head = shape_.head_dim;
  const int64_t pieces = int64_t{shape_.kv_heads} * 2;
  std::vector<Half> rows(static_cast<size_t>(kBlockTokens * pieces * head));
  for (int64_t layer = 0; layer < layers_; ++layer) {
    Status status = ReadRows(layer, static_cast<int64_t>(i) * kBlockTokens, std::as_writable_bytes(std::span(rows)));
    if (!status.ok()) return status;
    for (int64_t token = 0; token < kBlockTokens; ++token) {
      for (int64_t piece = 0; piece < pieces; ++piece) {
        std::copy_n(rows.begin() + (token * pieces + piece) * head, head,
                    block + ((layer * pieces + piece) * kBlockTokens + token) * head);
      }
    }
  }
  return {};
}

Status DeviceStore::BringBack(size_t i) {
  Result<std::shared_ptr<Half>> block = TakeOnHost();
  if (!block.ok()) return block.error();
  // What is queued may still read what was in this memory before.
  if (Status status = Finish(stream_); !status.ok()) return status;
  if (Status status = ReadBlock(i, block->get()); !status.ok()) return status;
  SetBlock(i, {std::move(*block), true});
  return {};
}

Status DeviceStore::KeepFrom(int64_t first) {
  if (disk_ == nullptr) return {};
  first_kept_ = static_cast<size_t>(first / kBlockTokens);
  for (size_t i = first_kept_; i < blocks_.size(); ++i) {
    if (blocks_[i] != nullptr || on_disk_[i] == nullptr) continue;
    if (Status status = BringBack(i); !status.ok()) return status;
  }
  return {};
}

}  // namespace ltri::cuda
