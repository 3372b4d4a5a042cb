#include "library/document_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "library/format.h"

namespace ltri {

Result<std::shared_ptr<DocumentBlocks>> DocumentBlocks::Open(FileSystem& files, const std::string& folder,
                                                             uint64_t document, const std::vector<int64_t>& committed,
                                                             OpenFor purpose, int64_t roll_bytes) {
  std::shared_ptr<DocumentBlocks> blocks(new DocumentBlocks(files, folder, document, roll_bytes));
  for (size_t i = 0; i < committed.size(); ++i) {
    const auto number = static_cast<int64_t>(i) + 1;
    Result<SegmentFile> segment =
        SegmentFile::Open(files, folder + "/" + SegmentName(number), document, number, committed[i], purpose);
    if (!segment.ok()) return segment.error();
    blocks->segments_.push_back(std::make_unique<SegmentFile>(std::move(*segment)));
  }
  blocks->synced_ = std::max<size_t>(1, committed.size()) - 1;
  return blocks;
}

Status DocumentBlocks::AddFile() {
  const auto number = static_cast<int64_t>(segments_.size()) + 1;
  Result<SegmentFile> segment = SegmentFile::Create(files_, folder_ + "/" + SegmentName(number), document_, number);
  if (!segment.ok()) return segment.error();
  const std::unique_lock lock(mutex_);
  segments_.push_back(std::make_unique<SegmentFile>(std::move(*segment)));
  new_names_ = true;
  return {};
}

Result<int64_t> DocumentBlocks::AppendToLast(std::span<const std::byte> bytes) {
  if (segments_.empty() || segments_.back()->bytes() >= roll_bytes_) {
    if (Status status = AddFile(); !status.ok()) return status.error();
  }
  const Result<int64_t> offset = segments_.back()->Append(bytes);
  if (!offset.ok()) return offset.error();
  return BlockAddress{static_cast<int64_t>(segments_.size()), *offset}.Pack();
}

Result<int64_t> DocumentBlocks::Append(std::span<const std::byte> bytes) {
  if (!failed_.ok()) return failed_.error();
  Result<int64_t> address = AppendToLast(bytes);
  if (!address.ok()) failed_ = address.error();
  return address;
}

// Null when there is no such file.
const SegmentFile* DocumentBlocks::FindSegment(BlockAddress address) const {
  const std::shared_lock lock(mutex_);
  if (address.file < 1 || address.file > static_cast<int64_t>(segments_.size())) return nullptr;
  return segments_[static_cast<size_t>(address.file - 1)].get();
}

void DocumentBlocks::WillRead(int64_t offset, int64_t bytes) const {
  const BlockAddress address = BlockAddress::Unpack(offset);
  if (const SegmentFile* segment = FindSegment(address)) segment->WillRead(address.offset, bytes);
}

Status DocumentBlocks::Read(int64_t offset, std::span<std::byte> bytes) const {
  const BlockAddress address = BlockAddress::Unpack(offset);
  const SegmentFile* segment = FindSegment(address);
  if (segment == nullptr) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: there is no segment file {} (address {:#x})", folder_,
                                                  address.file, static_cast<uint64_t>(offset))};
  }
  return segment->Read(address.offset, bytes);
}

Status DocumentBlocks::Sync() {
  for (size_t i = synced_; failed_.ok() && i < segments_.size(); ++i) failed_ = segments_[i]->Sync();
  if (failed_.ok() && new_names_) failed_ = files_.SyncFolder(folder_);
  if (!failed_.ok()) return failed_;
  new_names_ = false;
  synced_ = std::max<size_t>(1, segments_.size()) - 1;
  return {};
}

std::vector<int64_t> DocumentBlocks::lengths() const {
  std::vector<int64_t> lengths;
  for (const auto& segment : segments_) lengths.push_back(segment->bytes());
  return lengths;
}

}  // namespace ltri
