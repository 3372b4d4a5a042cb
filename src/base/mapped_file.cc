#include "base/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace ltri {
namespace {

// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

Error SystemError(const std::string& path, const char* what) {
  return {ErrorCode::kIo, fmt::format("{}: {}: {}", path, what, std::strerror(errno))};
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path) {
  if (path.empty()) return Error{ErrorCode::kInvalidArgument, "the name of the file is empty"};
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return Error{ErrorCode::kNotFound, fmt::format("{}: no such file; check the path", path)};
    }
    return SystemError(path, "cannot be opened");
  }
  struct stat info {};
  if (fstat(file.fd, &info) != 0) return SystemError(path, "cannot be examined");
  if (S_ISDIR(info.st_mode)) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: is a folder; name a file in it", path)};
  }
  if (!S_ISREG(info.st_mode)) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: is no regular file", path)};
  }
  if (info.st_size == 0) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: is empty (0 bytes)", path)};
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd, 0);
  if (data == MAP_FAILED) return SystemError(path, "cannot be mapped into memory");
  return MappedFile(static_cast<const std::byte*>(data), size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace ltri
