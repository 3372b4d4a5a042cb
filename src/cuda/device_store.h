// DeviceStore: a sequence's keys and values of all layers on the card, and what a step sees of them.
//
// The twin of memory/kv_store.h. A copy shares its blocks with the original; whoever writes into a shared block gets
// its own first. When the card is full, the oldest blocks move to the host's memory, where kernels go on reading them,
// and when that has a limit, the oldest of these to a file. What is there has to be brought back, or copied to slots,
// before kernels read it.
#ifndef LTRI_CUDA_DEVICE_STORE_H_
#define LTRI_CUDA_DEVICE_STORE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/serial.h"
#include "cuda/block_pool.h"
#include "cuda/disk_blocks.h"
#include "cuda/head_layout.h"
#include "ltri/session.h"
#include "memory/block_file.h"
#include "ops/cuda/choose.h"
#include "ops/cuda/device.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

class DeviceStore {
 public:
  // most_far: rows of far keys that a view may name. apart: bytes of the card that are left for what grows beside it.
  DeviceStore(Stream stream, BlockPool* pool, const HeadShape& shape, int64_t most_far, int64_t apart);
  DeviceStore(const DeviceStore& other);
  DeviceStore& operator=(const DeviceStore&) = delete;

  // From here on at most `bytes` of blocks are in the host's memory, but what a copy shares, and the rest in `disk`.
  void LimitHost(int64_t bytes, std::shared_ptr<DiskBlocks> disk);

  // Tokens [begin, end) may be written. May throw std::bad_alloc. Errors: those of a file; kOutOfMemory when what may
  // not be in a file does not fit.
  Status MakeRoom(int64_t begin, int64_t end);
  // Kernels may read all tokens from `first` on: those that are in a file come back. Errors: as above.
  Status KeepFrom(int64_t first);
  // Forgets tokens >= `tokens`.
  void Truncate(int64_t tokens);
  // Gives back whole blocks within [begin, end).
  void Drop(int64_t begin, int64_t end);
  // Whether some blocks are on the host.
  bool spilled() const { return spilled_; }
  // Whether blocks may be in a file.
  bool has_disk() const { return disk_ != nullptr; }
  // How often a block has gone to the file.
  int64_t departures() const { return departures_; }
  bool IsOnDisk(int64_t token) const { return BlockOf(token) == nullptr; }
  bool IsOnHost(int64_t token) const { return on_host_[static_cast<size_t>(token / kBlockTokens)]; }
  // Rows of a layer's tokens that are on disk and within one block (ops/cuda/tokens.h).
  Status ReadRows(int64_t layer, int64_t token, std::span<std::byte> rows) const;
  void WillReadRows(int64_t layer, int64_t token, int64_t count) const;
  int64_t row_bytes() const { return disk_->row_bytes(); }
  // Tokens from the second block to here may lie on the host.
  int64_t host_end() const { return spilled_ ? static_cast<int64_t>(next_to_move_) * kBlockTokens : 0; }
  // Makes the slots that far keys are copied to (ops/cuda/types.h), on the card. Errors: as MakeRoom's.
  Status MakeSlots();
  int64_t SlotCount() const { return static_cast<int64_t>(slots_.size()) * kBlockTokens; }
  // Those of a layer; none before MakeSlots.
  FarSlots slots(int64_t layer) const;
  // Puts tokens [0, count) of another store behind `tokens` of this one. May throw std::bad_alloc. Errors: as
  // MakeRoom's.
  Status AppendTokens(const DeviceStore& other, int64_t tokens, int64_t count);

  // The fields of a saved session that KvStore writes for each layer, of a text of `size` tokens. Chunks go to `file`,
  // those aside that are there. May throw std::bad_alloc, as may Restore.
  Status Save(const std::shared_ptr<BlockFile>& file, int64_t size, const HostHeads& heads, StateWriter* state);
  // What Save, or the stores of a method on the host, wrote; this one is empty. needed: [layers] of `size` tokens,
  // those that the layer must have.
  Status Restore(const std::shared_ptr<BlockFile>& file, int64_t size, const HostHeads& heads,
                 const std::vector<std::vector<TokenRange>>& needed, StateReader* state);

  // For benches: tokens [begin, end) get keys and values drawn at random.
  Status FillRandomly(int64_t begin, int64_t end);

  // The views of the coming step, [layers].
  void SetViews(const std::vector<LayerView>& views);
  // The first far rows of every layer.
  void SetRows(const std::vector<int32_t>& rows);

  LayerView* views() const { return views_.as<LayerView>(); }
  int32_t* rows() const { return rows_.as<int32_t>(); }
  int32_t* places() const { return places_.as<int32_t>(); }
  int64_t most_far() const { return most_far_; }
  SequenceRef ref() const { return {table_.as<Half*>(), views(), rows(), places_.as<int32_t>(), most_far_}; }
  int64_t bytes() const;
  int64_t bytes_on_disk() const;  // of blocks that are nowhere else

 private:
  static constexpr size_t kFirstToMove = 1;  // block 0 has the sinks, which every step reads
  static constexpr int64_t kChunksInBlock = 2;

  // Where a file has a chunk of tokens of all layers.
  struct SavedChunk {
    std::shared_ptr<BlockFile> file;
    std::vector<int64_t> offsets;  // [layers]
  };
  struct SavedLayer;

  bool HasChunk(int64_t chunk) const;
  void ForgetSaved(int64_t begin);
  int64_t ChunkBytes() const { return pool_->block_bytes() / kChunksInBlock; }  // of all layers
  Status CopyChunk(int64_t chunk, Half* out) const;
  void PlaceChunk(int64_t chunk, const Half* from, Half* block) const;
  Status SaveChunks(const std::shared_ptr<BlockFile>& file, int64_t chunks, const HostHeads& heads);
  int64_t FileChunkBytes(const HostHeads& heads) const { return ChunkBytes() / shape_.head_dim * heads.head_dim; }
  const std::byte* ToFile(const HostHeads& heads, const Half* chunk, std::vector<Half>& room) const;
  Status ReadChunk(const std::shared_ptr<BlockFile>& file, const std::vector<SavedLayer>& layers, int64_t chunk,
                   const HostHeads& heads, std::vector<Half>& room, Half* to) const;
  struct Taken {
    std::shared_ptr<Half> block;
    bool on_host = false;
  };
  const Half* BlockOf(int64_t token) const { return blocks_[static_cast<size_t>(token / kBlockTokens)].get(); }
  Result<Taken> TakeBlock();
  Result<bool> MoveOldest();
  Result<std::shared_ptr<Half>> TakeOnHost();
  Result<bool> WriteOldest();
  Status ReadBlock(size_t i, Half* block) const;
  Status BringBack(size_t i);
  void SetBlock(size_t i, const Taken& taken);
  void Resize(size_t blocks);
  void ForgetSlots();
  void SetTable(size_t first, size_t count);

  Stream stream_;
  BlockPool* pool_;
  HeadShape shape_;
  int64_t layers_;
  int64_t most_far_;
  int64_t apart_;
  std::vector<std::shared_ptr<Half>> blocks_;  // null: dropped
  std::vector<Half*> pointers_;                // the same, as the card has them
  std::vector<uint8_t> on_host_;               // whether it is there
  std::vector<DiskBlocks::PlaceRef> on_disk_;  // null: not in the file as it is now
  std::shared_ptr<DiskBlocks> disk_;           // null: the host has no limit
  int64_t most_on_host_ = 0;                   // blocks
  size_t first_kept_ = 0;                      // blocks from here on do not go to the file
  int64_t departures_ = 0;
  std::unique_ptr<PinnedBuffer> packed_;                  // a block on its way to the file
  std::vector<std::shared_ptr<const SavedChunk>> saved_;  // [chunks] null: in no file as it is now
  std::vector<std::shared_ptr<Half>> slots_;              // blocks behind kMostTokens
  size_t next_to_move_ = kFirstToMove;                    // the oldest block that may still move to the host
  bool spilled_ = false;
  Buffer table_;  // [(kMostTokens + most_far) / kBlockTokens]
  Buffer views_;
  Buffer rows_, places_;
  Buffer slot_tokens_, slots_wanted_, slots_missing_;  // FarSlots of all layers
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DEVICE_STORE_H_
