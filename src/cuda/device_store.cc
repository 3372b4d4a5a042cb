#include "cuda/device_store.h"

#include <algorithm>

#include "ops/cuda/pointwise.h"

namespace ltri::cuda {
namespace {

constexpr int64_t kFirstSlot = kMostTokens / kBlockTokens;  // in blocks

int64_t BlocksOf(int64_t tokens) { return (tokens + kBlockTokens - 1) / kBlockTokens; }

}  // namespace

DeviceStore::DeviceStore(Stream stream, BlockPool* pool, const HeadShape& shape, int64_t most_far, int64_t apart)
    : stream_(stream),
      pool_(pool),
      shape_(shape),
      layers_(shape.layers),
      most_far_(most_far),
      apart_(apart),
      table_((kFirstSlot + BlocksOf(most_far)) * static_cast<int64_t>(sizeof(Half*))),
      views_(layers_ * static_cast<int64_t>(sizeof(LayerView))),
      rows_(std::max<int64_t>(1, layers_ * most_far) * static_cast<int64_t>(sizeof(int32_t))),
      places_(rows_.bytes()) {}

DeviceStore::DeviceStore(const DeviceStore& other)
    : DeviceStore(other.stream_, other.pool_, other.shape_, other.most_far_, other.apart_) {
  blocks_ = other.blocks_;
  pointers_ = other.pointers_;
  saved_ = other.saved_;
  SetTable(0, pointers_.size());
  if (!other.slots_.empty()) MakeSlots();
  // Now that slots are there: while blocks are shared, none can make room for them.
  next_to_move_ = other.next_to_move_;
  spilled_ = other.spilled_;
  for (size_t i = 0; i < slots_.size(); ++i) {
    CopyOnDevice(stream_, slots_[i].get(), other.slots_[i].get(), pool_->block_bytes());
  }
  CopyOnDevice(stream_, views_.as<void>(), other.views_.as<void>(), views_.bytes());
  CopyOnDevice(stream_, rows_.as<void>(), other.rows_.as<void>(), rows_.bytes());
  CopyOnDevice(stream_, places_.as<void>(), other.places_.as<void>(), places_.bytes());
  if (!slots_.empty()) {
    CopyOnDevice(stream_, slot_tokens_.as<void>(), other.slot_tokens_.as<void>(), slot_tokens_.bytes());
  }
}

void DeviceStore::SetTable(size_t first, size_t count) {
  if (count == 0) return;
  Upload(stream_, table_.as<Half*>() + first, pointers_.data() + first, static_cast<int64_t>(count * sizeof(Half*)));
}

std::shared_ptr<Half> DeviceStore::TakeBlock() {
  do {
    if (std::shared_ptr<Half> block = pool_->Take(apart_); block != nullptr) return block;
    spilled_ = true;
  } while (MoveOldest());
  return pool_->TakeOnHost();
}

// In stream order: what is queued already reads the block where it was. Blocks that others share would not become free.
bool DeviceStore::MoveOldest() {
  while (next_to_move_ < blocks_.size()) {
    const size_t i = next_to_move_++;
    if (blocks_[i].use_count() != 1) continue;
    std::shared_ptr<Half> moved = pool_->TakeOnHost();
    CopyOnDevice(stream_, moved.get(), blocks_[i].get(), pool_->block_bytes());
    blocks_[i] = std::move(moved);
    pointers_[i] = blocks_[i].get();
    SetTable(i, 1);
    return true;
  }
  return false;
}

void DeviceStore::MakeSlots() {
  if (!slots_.empty()) return;
  std::vector<Half*> pointers;
  for (int64_t i = 0; i < BlocksOf(most_far_); ++i) {
    slots_.push_back(TakeBlock());
    pointers.push_back(slots_.back().get());
  }
  Upload(stream_, table_.as<Half*>() + kFirstSlot, pointers.data(),
         static_cast<int64_t>(pointers.size() * sizeof(Half*)));
  const int64_t bytes = layers_ * SlotCount() * static_cast<int64_t>(sizeof(int32_t));
  slot_tokens_ = Buffer(bytes);
  slots_wanted_ = Buffer(bytes);
  slots_missing_ = Buffer(bytes + layers_ * static_cast<int64_t>(sizeof(int32_t)));
  Clear(stream_, slots_missing_.as<void>(), slots_missing_.bytes());
  ForgetSlots();
}

// No token has a number of all ones.
void DeviceStore::ForgetSlots() { Fill(stream_, slot_tokens_.as<void>(), 0xFF, slot_tokens_.bytes()); }

FarSlots DeviceStore::slots(int64_t layer) const {
  if (slots_.empty()) return {};
  FarSlots slots;
  slots.count = static_cast<int32_t>(SlotCount());
  slots.tokens = slot_tokens_.as<int32_t>() + layer * SlotCount();
  slots.wanted = slots_wanted_.as<int32_t>() + layer * SlotCount();
  slots.missing = slots_missing_.as<int32_t>() + layer * (SlotCount() + 1);
  slots.places = places_.as<int32_t>() + layer * most_far_;
  return slots;
}

void DeviceStore::MakeRoom(int64_t begin, int64_t end) {
  ForgetSaved(begin);
  const auto first = static_cast<size_t>(begin / kBlockTokens);
  const auto last = static_cast<size_t>(BlocksOf(end));
  if (blocks_.size() < last) {
    blocks_.resize(last);
    pointers_.resize(last, nullptr);
  }
  for (size_t i = first; i < last; ++i) {
    std::shared_ptr<Half>& block = blocks_[i];
    if (block != nullptr && block.use_count() == 1) continue;
    const std::shared_ptr<Half> shared = block;
    block = TakeBlock();
    if (shared != nullptr) CopyOnDevice(stream_, block.get(), shared.get(), pool_->block_bytes());
    pointers_[i] = block.get();
    SetTable(i, 1);
  }
}

void DeviceStore::Truncate(int64_t tokens) {
  ForgetSaved(tokens);
  const auto count = static_cast<size_t>(BlocksOf(tokens));
  if (count >= blocks_.size()) return;
  blocks_.resize(count);
  pointers_.resize(count);
  next_to_move_ = std::min(next_to_move_, std::max(count, kFirstToMove));
  ForgetSlots();
}

void DeviceStore::Drop(int64_t begin, int64_t end) {
  const int64_t last = std::min(end / kBlockTokens, static_cast<int64_t>(blocks_.size()));
  // Earlier blocks were dropped before: stop at the first gap.
  for (int64_t i = last - 1; i >= BlocksOf(begin); --i) {
    std::shared_ptr<Half>& block = blocks_[static_cast<size_t>(i)];
    if (block == nullptr) break;
    block.reset();
  }
}

void DeviceStore::FillRandomly(int64_t begin, int64_t end) {
  MakeRoom(begin, end);
  for (int64_t i = BlocksOf(begin); i < BlocksOf(end); ++i) {
    FillRandom(stream_, static_cast<uint64_t>(i) << 40, 1.0F, pool_->block_bytes() / 2, Float16::kHalf,
               blocks_[static_cast<size_t>(i)].get());
  }
}

void DeviceStore::SetViews(const std::vector<LayerView>& views) {
  Upload(stream_, views_.as<void>(), views.data(), static_cast<int64_t>(views.size() * sizeof(LayerView)));
}

void DeviceStore::SetRows(const std::vector<int32_t>& rows) {
  for (int64_t layer = 0; layer < layers_ && !rows.empty(); ++layer) {
    Upload(stream_, this->rows() + layer * most_far_, rows.data(), static_cast<int64_t>(rows.size() * sizeof(int32_t)));
  }
}

int64_t DeviceStore::bytes() const {
  const auto held = std::count_if(blocks_.begin(), blocks_.end(), [](const auto& block) { return block != nullptr; });
  return held * pool_->block_bytes();
}

}  // namespace ltri::cuda
