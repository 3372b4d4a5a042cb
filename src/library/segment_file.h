// SegmentFile: one append-only file of checksummed blocks. The format is docs/format_segment.md.
//
// Thread safety: Read from any number of threads, also while one other appends.
#ifndef LTRI_LIBRARY_SEGMENT_FILE_H_
#define LTRI_LIBRARY_SEGMENT_FILE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/file.h"

namespace ltri {

// A block's address: the number of its file and the offset of its header there.
struct BlockAddress {
  static constexpr int kOffsetBits = 40;

  int64_t file = 0;
  int64_t offset = 0;

  int64_t Pack() const { return (file << kOffsetBits) | offset; }
  static BlockAddress Unpack(int64_t packed) {
    return {packed >> kOffsetBits, packed & ((int64_t{1} << kOffsetBits) - 1)};
  }
};

class SegmentFile {
 public:
  static constexpr int64_t kHeaderBytes = 4096;  // of the file
  static constexpr int64_t kBlockHeaderBytes = 64;
  static constexpr int64_t kBlockAlignment = 64;
  static constexpr int64_t kBigBytes = 65536;  // a payload from here on begins at a multiple of kPageBytes
  static constexpr int64_t kPageBytes = 4096;

  // A new file with its header.
  static Result<SegmentFile> Create(FileSystem& files, const std::string& path, uint64_t document, int64_t number);
  // The file at `path`, of which `bytes` count. Error kCorrupt when it is shorter or its header is not that of file
  // `number` of `document`.
  static Result<SegmentFile> Open(FileSystem& files, const std::string& path, uint64_t document, int64_t number,
                                  int64_t bytes, OpenFor purpose);

  // Adds a block; the result is its offset.
  Result<int64_t> Append(std::span<const std::byte> payload);
  // The payload of the block at `offset`. Error kCorrupt says what is wrong there.
  Status Read(int64_t offset, std::span<std::byte> payload) const;
  // A hint: the block at `offset` will be read soon, with a payload of `payload` bytes.
  void WillRead(int64_t offset, int64_t payload) const;
  Status Sync() { return file_->Sync(); }

  // Checks the block at `offset` and the zeros around it, below `end`; the result is where the next block begins.
  // Memory: that of the block, at most end - offset.
  Result<int64_t> Check(int64_t offset, int64_t end) const;

  // The first place from `offset` on where a block seems to begin; `end` when there is none.
  Result<int64_t> FindBlock(int64_t offset, int64_t end) const;

  const std::string& path() const { return file_->path(); }
  int64_t bytes() const { return bytes_; }

 private:
  SegmentFile(std::unique_ptr<File> file, uint64_t document, int64_t number, int64_t bytes)
      : file_(std::move(file)), document_(document), number_(number), bytes_(bytes) {}

  Status CheckHeader() const;
  Status CheckZeros(int64_t begin, int64_t end) const;
  Result<int64_t> PayloadBytes(int64_t offset, std::span<const std::byte> header) const;
  Status CheckPayload(int64_t offset, std::span<const std::byte> header, std::span<const std::byte> payload) const;
  Error Corrupt(int64_t offset, const std::string& what) const;

  std::unique_ptr<File> file_;
  uint64_t document_;
  int64_t number_;
  int64_t bytes_;  // up to the end of the last block
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_SEGMENT_FILE_H_
