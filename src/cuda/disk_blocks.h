// DiskBlocks: blocks of keys and values that neither the card nor the host has room for, in a temporary file.
//
// There tokens of a layer follow each other: [layers, kBlockTokens, kv_heads, keys | values, head_dim]. A span, a few
// tokens of one layer, is read at once. Thread safety: all of it.
#ifndef LTRI_CUDA_DISK_BLOCKS_H_
#define LTRI_CUDA_DISK_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "ltri/result.h"
#include "memory/spill_file.h"
#include "ops/cuda/types.h"

namespace ltri::cuda {

class DiskBlocks : public std::enable_shared_from_this<DiskBlocks> {
 public:
  // A block's place in the file, which another takes when nobody has it any more.
  class Place {
   public:
    ~Place() { blocks_->Forget(offset_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    friend class DiskBlocks;
    Place(std::shared_ptr<DiskBlocks> blocks, int64_t offset) : blocks_(std::move(blocks)), offset_(offset) {}

    std::shared_ptr<DiskBlocks> blocks_;
    int64_t offset_;
  };
  using PlaceRef = std::shared_ptr<const Place>;

  static std::shared_ptr<DiskBlocks> Create(std::shared_ptr<SpillFile> file, const HeadShape& shape) {
    return std::shared_ptr<DiskBlocks>(new DiskBlocks(std::move(file), shape));
  }

  // Of a token and layer.
  int64_t row_bytes() const { return row_bytes_; }
  int64_t block_bytes() const { return block_bytes_; }

  // Errors of both: those of the file, which name its folder.
  Result<PlaceRef> Write(std::span<const std::byte> block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Result<int64_t> offset = file_->Append(block);
    if (!offset.ok()) return offset.error();
    return PlaceRef(new Place(shared_from_this(), *offset));
  }
  // `rows.size() / row_bytes()` tokens of a layer, from number `first` of the block on.
  Status Read(const Place& place, int64_t layer, int64_t first, std::span<std::byte> rows) const {
    return file_->Read(place.offset_ + RowOffset(layer, first), rows);
  }
  // The same will be read soon.
  void WillRead(const Place& place, int64_t layer, int64_t first, int64_t count) const {
    file_->WillRead(place.offset_ + RowOffset(layer, first), count * row_bytes_);
  }

 private:
  DiskBlocks(std::shared_ptr<SpillFile> file, const HeadShape& shape)
      : file_(std::move(file)),
        row_bytes_(int64_t{shape.kv_heads} * 2 * shape.head_dim * static_cast<int64_t>(sizeof(Half))),
        block_bytes_(shape.layers * kBlockTokens * row_bytes_) {}

  int64_t RowOffset(int64_t layer, int64_t token) const { return (layer * kBlockTokens + token) * row_bytes_; }
  void Forget(int64_t offset) {
    const std::lock_guard<std::mutex> lock(mutex_);
    file_->Forget(offset, block_bytes_);
  }

  std::mutex mutex_;  // over what writes
  std::shared_ptr<SpillFile> file_;
  int64_t row_bytes_;
  int64_t block_bytes_;
};

}  // namespace ltri::cuda

#endif  // LTRI_CUDA_DISK_BLOCKS_H_
