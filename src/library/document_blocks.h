// DocumentBlocks: all blocks of a document, in segment files that follow each other.
//
// Thread safety: that of BlockFile. Once an operation has failed, all that write fail too: what the disk holds is then
// unknown, and the document has to be opened again.
#ifndef LTRI_LIBRARY_DOCUMENT_BLOCKS_H_
#define LTRI_LIBRARY_DOCUMENT_BLOCKS_H_

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/file.h"
#include "library/segment_file.h"
#include "memory/block_file.h"

namespace ltri {

class DocumentBlocks : public BlockFile {
 public:
  static constexpr int64_t kRollBytes = int64_t{1} << 30;

  // committed: the bytes of each segment file in `folder` that count. Purpose: kReading or kAppending; a writer begins
  // a new file when one has reached `roll_bytes`.
  static Result<std::shared_ptr<DocumentBlocks>> Open(FileSystem& files, const std::string& folder, uint64_t document,
                                                      const std::vector<int64_t>& committed, OpenFor purpose,
                                                      int64_t roll_bytes = kRollBytes);

  Result<int64_t> Append(std::span<const std::byte> bytes) override;
  void WillRead(int64_t offset, int64_t bytes) const override;
  Status Read(int64_t offset, std::span<std::byte> bytes) const override;

  // Brings what was appended to the disk.
  Status Sync();
  // The length of each file: what a commit after Sync may count.
  std::vector<int64_t> lengths() const;

 private:
  DocumentBlocks(FileSystem& files, std::string folder, uint64_t document, int64_t roll_bytes)
      : files_(files), folder_(std::move(folder)), document_(document), roll_bytes_(roll_bytes) {}

  const SegmentFile* FindSegment(BlockAddress address) const;
  Status AddFile();
  Result<int64_t> AppendToLast(std::span<const std::byte> bytes);

  FileSystem& files_;
  const std::string folder_;
  const uint64_t document_;
  const int64_t roll_bytes_;
  mutable std::shared_mutex mutex_;  // over the list; files do not move once they are in it
  std::vector<std::unique_ptr<SegmentFile>> segments_;
  size_t synced_ = 0;       // files before this one are full and on the disk
  bool new_names_ = false;  // files were made since the folder was synced
  Status failed_;           // the first error of a writer
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_DOCUMENT_BLOCKS_H_
