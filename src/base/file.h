// File and FileSystem: what programs that must survive a crash ask of a disk. The tests have one that fails on demand.
//
// Files that are created belong to the user alone (0600, folders 0700) and are not inherited by other programs.
// Errors name the path and the system's reason: kNotFound, kIo, and kCorrupt where a file ends too early.
#ifndef LTRI_BASE_FILE_H_
#define LTRI_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ltri/result.h"

namespace ltri {

// An open file. Read is thread-safe, also while one other thread appends.
class File {
 public:
  virtual ~File() = default;

  virtual const std::string& path() const = 0;
  virtual Result<int64_t> Size() const = 0;  // bytes
  // The bytes from `offset` on. Error kCorrupt when the file ends before the last of them.
  virtual Status Read(int64_t offset, std::span<std::byte> bytes) const = 0;
  // A hint: these bytes will be read soon, and those around them perhaps never.
  virtual void WillRead(int64_t /*offset*/, int64_t /*bytes*/) const {}
  // After an error any part of `bytes` may be in the file.
  virtual Status Append(std::span<const std::byte> bytes) = 0;
  virtual Status Truncate(int64_t size) = 0;
  // Returns when all that was appended would survive a power failure. After an error nobody knows what would.
  virtual Status Sync() = 0;
};

enum class OpenFor {
  kReading,
  kAppending,  // the file exists; it may be read as well
  kCreating,   // the file does not exist yet; it may be read as well
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenFor purpose) = 0;
  // Replaces `to`.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;        // a file
  virtual Status RemoveFolder(const std::string& path) = 0;  // with the files in it
  // And those above it; nothing when it exists. Its name would survive a power failure.
  virtual Status MakeFolder(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> List(const std::string& folder) = 0;  // names, sorted
  // Returns when the names in `folder` would survive a power failure.
  virtual Status SyncFolder(const std::string& folder) = 0;
  // The file at `path`, made when missing and locked until it is closed; null when another holds it.
  virtual Result<std::unique_ptr<File>> Lock(const std::string& path) = 0;

  // The name of the SQLite VFS that reaches the same files; null: SQLite's own.
  virtual const char* database_layer() const { return nullptr; }

  // That of the operating system; lives for ever.
  static FileSystem& Posix();
};

// The whole file. Error kCorrupt when it is longer than `most` bytes.
Result<std::vector<std::byte>> ReadWhole(FileSystem& files, const std::string& path, int64_t most);

Status RemoveIfThere(FileSystem& files, const std::string& path);

}  // namespace ltri

#endif  // LTRI_BASE_FILE_H_
