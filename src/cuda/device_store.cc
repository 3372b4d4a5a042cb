#include "cuda/device_store.h"

#include <algorithm>
#include <new>

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
  on_host_ = other.on_host_;
  on_disk_ = other.on_disk_;
  disk_ = other.disk_;
  most_on_host_ = other.most_on_host_;
  first_kept_ = other.first_kept_;
  departures_ = other.departures_;
  saved_ = other.saved_;
  SetTable(0, pointers_.size());
  // While blocks are shared none can make room for slots, and none has to go to the file for them.
  if (!other.slots_.empty() && !MakeSlots().ok()) throw std::bad_alloc();
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

Status DeviceStore::MakeSlots() {
  if (!slots_.empty()) return {};
  std::vector<std::shared_ptr<Half>> slots;
  std::vector<Half*> pointers;
  for (int64_t i = 0; i < BlocksOf(most_far_); ++i) {
    Result<Taken> taken = TakeBlock();
    if (!taken.ok()) return taken.error();
    slots.push_back(std::move(taken->block));
    pointers.push_back(slots.back().get());
  }
  slots_ = std::move(slots);
  Upload(stream_, table_.as<Half*>() + kFirstSlot, pointers.data(),
         static_cast<int64_t>(pointers.size() * sizeof(Half*)));
  const int64_t bytes = layers_ * SlotCount() * static_cast<int64_t>(sizeof(int32_t));
  slot_tokens_ = Buffer(bytes);
  slots_wanted_ = Buffer(bytes);
  slots_missing_ = Buffer(bytes + layers_ * static_cast<int64_t>(sizeof(int32_t)));
  Clear(stream_, slots_missing_.as<void>(), slots_missing_.bytes());
  ForgetSlots();
  return {};
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

void DeviceStore::Resize(size_t blocks) {
  blocks_.resize(blocks);
  pointers_.resize(blocks, nullptr);
  on_host_.resize(blocks, 0);
  on_disk_.resize(blocks);
}

void DeviceStore::SetBlock(size_t i, const Taken& taken) {
  blocks_[i] = taken.block;
  pointers_[i] = taken.block.get();
  on_host_[i] = taken.on_host ? 1 : 0;
  SetTable(i, 1);
}

Status DeviceStore::MakeRoom(int64_t begin, int64_t end) {
  ForgetSaved(begin);
  const auto first = static_cast<size_t>(begin / kBlockTokens);
  const auto last = static_cast<size_t>(BlocksOf(end));
  first_kept_ = std::min(first_kept_, first);
  if (blocks_.size() < last) Resize(last);
  for (size_t i = first; i < last; ++i) {
    if (blocks_[i] == nullptr && on_disk_[i] != nullptr) {
      if (Status status = BringBack(i); !status.ok()) return status;
    }
    on_disk_[i] = nullptr;  // it will be written
    const std::shared_ptr<Half> shared = blocks_[i];
    if (shared.use_count() == 2) continue;  // here and in the list: nobody else has it
    Result<Taken> taken = TakeBlock();
    if (!taken.ok()) return taken.error();
    if (shared != nullptr) CopyOnDevice(stream_, taken->block.get(), shared.get(), pool_->block_bytes());
    SetBlock(i, *taken);
  }
  return {};
}

void DeviceStore::Truncate(int64_t tokens) {
  ForgetSaved(tokens);
  const auto count = static_cast<size_t>(BlocksOf(tokens));
  if (count >= blocks_.size()) return;
  Resize(count);
  next_to_move_ = std::min(next_to_move_, std::max(count, kFirstToMove));
  first_kept_ = std::min(first_kept_, count);
  ForgetSlots();
}

void DeviceStore::Drop(int64_t begin, int64_t end) {
  const int64_t last = std::min(end / kBlockTokens, static_cast<int64_t>(blocks_.size()));
  // Earlier blocks were dropped before: stop at the first gap.
  for (int64_t i = last - 1; i >= BlocksOf(begin); --i) {
    const auto at = static_cast<size_t>(i);
    if (blocks_[at] == nullptr && on_disk_[at] == nullptr) break;
    blocks_[at].reset();
    on_disk_[at].reset();
    on_host_[at] = 0;
  }
}

Status DeviceStore::FillRandomly(int64_t begin, int64_t end) {
  if (Status status = MakeRoom(begin, end); !status.ok()) return status;
  for (int64_t i = BlocksOf(begin); i < BlocksOf(end); ++i) {
    FillRandom(stream_, static_cast<uint64_t>(i) << 40, 1.0F, pool_->block_bytes() / 2, Float16::kHalf,
               blocks_[static_cast<size_t>(i)].get());
  }
  return {};
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

int64_t DeviceStore::bytes_on_disk() const {
  int64_t blocks = 0;
  for (size_t i = 0; i < blocks_.size(); ++i) blocks += blocks_[i] == nullptr && on_disk_[i] != nullptr ? 1 : 0;
  return blocks * pool_->block_bytes();
}

}  // namespace ltri::cuda
