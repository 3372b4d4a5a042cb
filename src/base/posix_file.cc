#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/file.h"

namespace ltri {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;

Error SystemError(const std::string& path, const char* what) {
  const int code = errno;
  return {code == ENOENT || code == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo,
          fmt::format("{}: {}: {}", path, what, std::strerror(code))};
}

class PosixFile : public File {
 public:
  PosixFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~PosixFile() override { close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  const std::string& path() const override { return path_; }

  Result<int64_t> Size() const override {
    struct stat info = {};
    if (fstat(descriptor_, &info) != 0) return SystemError(path_, "cannot be examined");
    return static_cast<int64_t>(info.st_size);
  }

  Status Read(int64_t offset, std::span<std::byte> bytes) const override {
    while (!bytes.empty()) {
      const ssize_t count = pread(descriptor_, bytes.data(), bytes.size(), offset);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return SystemError(path_, "cannot be read");
      if (count == 0) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("{}: ends at byte {}, {} bytes too early", path_, offset, bytes.size())};
      }
      bytes = bytes.subspan(static_cast<size_t>(count));
      offset += count;
    }
    return {};
  }

  void WillRead(int64_t offset, int64_t bytes) const override {
    // Or else the system reads ahead of each block as well: four times the bytes that a question asks for.
    std::call_once(is_random_, [&] { (void)posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM); });
    (void)posix_fadvise(descriptor_, offset, bytes, POSIX_FADV_WILLNEED);
  }

  Status Append(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return SystemError(path_, "cannot be written");
      bytes = bytes.subspan(static_cast<size_t>(count));
    }
    return {};
  }

  Status Truncate(int64_t size) override {
    if (ftruncate(descriptor_, size) != 0) return SystemError(path_, "cannot be cut");
    return {};
  }

  Status Sync() override {
    if (fsync(descriptor_) != 0) return SystemError(path_, "cannot be brought to the disk");
    return {};
  }

  // False when another has locked it.
  Result<bool> Lock() const {
    if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    return SystemError(path_, "cannot be locked");
  }

 private:
  std::string path_;
  int descriptor_;
  mutable std::once_flag is_random_;
};

class PosixFileSystem : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenFor purpose) override {
    int flags = O_CLOEXEC;
    if (purpose == OpenFor::kReading) flags |= O_RDONLY | O_NONBLOCK;  // a pipe by that name must not hang us
    if (purpose == OpenFor::kAppending) flags |= O_RDWR | O_APPEND;
    if (purpose == OpenFor::kCreating) flags |= O_RDWR | O_APPEND | O_CREAT | O_EXCL;
    Result<std::unique_ptr<PosixFile>> file = OpenWith(path, flags);
    if (!file.ok()) return file.error();
    return std::unique_ptr<File>(std::move(*file));
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0) return SystemError(from, "cannot be renamed");
    return {};
  }

  Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return SystemError(path, "cannot be removed");
    return {};
  }

  Status RemoveFolder(const std::string& path) override {
    Result<std::vector<std::string>> names = List(path);
    if (!names.ok()) return names.error();
    for (const std::string& name : *names) {
      if (Status status = Remove(path + "/" + name); !status.ok()) return status;
    }
    if (rmdir(path.c_str()) != 0) return SystemError(path, "cannot be removed");
    return {};
  }

  Status MakeFolder(const std::string& path) override {
    const size_t slash = path.find_last_of('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
    if (mkdir(path.c_str(), kFolderMode) == 0) return SyncFolder(parent);
    if (errno == EEXIST) return {};
    if (errno != ENOENT || parent == "." || parent == "/") return SystemError(path, "cannot be made");
    if (Status status = MakeFolder(parent); !status.ok()) return status;
    if (mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST) return SystemError(path, "cannot be made");
    return SyncFolder(parent);
  }

  Result<std::vector<std::string>> List(const std::string& folder) override {
    DIR* open_folder = opendir(folder.c_str());
    if (open_folder == nullptr) return SystemError(folder, "cannot be listed");
    std::vector<std::string> names;
    while (const dirent* entry = readdir(open_folder)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    closedir(open_folder);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status SyncFolder(const std::string& folder) override {
    const Result<std::unique_ptr<PosixFile>> open_folder = OpenWith(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!open_folder.ok()) return open_folder.error();
    return (*open_folder)->Sync();
  }

  Result<std::unique_ptr<File>> Lock(const std::string& path) override {
    Result<std::unique_ptr<PosixFile>> file = OpenWith(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC);
    if (!file.ok()) return file.error();
    const Result<bool> locked = (*file)->Lock();
    if (!locked.ok()) return locked.error();
    return *locked ? std::unique_ptr<File>(std::move(*file)) : nullptr;
  }

 private:
  static Result<std::unique_ptr<PosixFile>> OpenWith(const std::string& path, int flags) {
    const int descriptor = open(path.c_str(), flags, kFileMode);
    if (descriptor < 0) return SystemError(path, "cannot be opened");
    return std::make_unique<PosixFile>(path, descriptor);
  }
};

}  // namespace

FileSystem& FileSystem::Posix() {
  static PosixFileSystem files;
  return files;
}

Result<std::vector<std::byte>> ReadWhole(FileSystem& files, const std::string& path, int64_t most) {
  Result<std::unique_ptr<File>> file = files.Open(path, OpenFor::kReading);
  if (!file.ok()) return file.error();
  const Result<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.error();
  if (*size > most) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: has {} bytes, more than the {} expected", path, *size, most)};
  }
  std::vector<std::byte> bytes(static_cast<size_t>(*size));
  if (Status status = (*file)->Read(0, bytes); !status.ok()) return status.error();
  return bytes;
}

Status RemoveIfThere(FileSystem& files, const std::string& path) {
  const Status status = files.Remove(path);
  if (!status.ok() && status.error().code == ErrorCode::kNotFound) return {};
  return status;
}

}  // namespace ltri
