#include "cli/fetch/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace ltri {
namespace {

namespace fs = std::filesystem;

Error IoError(const std::string& what, const std::string& path, int code) {
  return {ErrorCode::kIo, fmt::format("cannot {} {}: {}", what, path, std::strerror(code))};
}

// Bytes free for us on the disk of `path`; -1 when the system does not say.
int64_t FreeBytes(const std::string& path) {
  std::error_code error;
  const fs::space_info space = fs::space(fs::path(path).parent_path(), error);
  return error ? -1 : static_cast<int64_t>(space.available);
}

}  // namespace

std::string FormatBytes(int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= 1'000'000'000) return fmt::format("{:.2f} GB", value / 1e9);
  if (bytes >= 1'000'000) return fmt::format("{:.1f} MB", value / 1e6);
  if (bytes >= 1'000) return fmt::format("{:.1f} kB", value / 1e3);
  return fmt::format("{} bytes", bytes);
}

OutputFile::OutputFile(std::string path, int descriptor, int64_t size)
    : path_(std::move(path)), descriptor_(descriptor), size_(size) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<OutputFile> OutputFile::Open(const std::string& path) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) return IoError("make the folder of", path, error.value());
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return IoError("write", path, errno);
  OutputFile file(path, descriptor, 0);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Error{ErrorCode::kIo, fmt::format("{} is being written by another program (a second `ltri pull`?)", path)};
  }
  const off_t end = lseek(descriptor, 0, SEEK_END);
  file.size_ = end < 0 ? 0 : end;
  return file;
}

Status OutputFile::Write(const void* bytes, size_t size, int64_t total) {
  const auto* next = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = write(descriptor_, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int code = written < 0 ? errno : ENOSPC;
      const int64_t needed = std::max(total - size_, static_cast<int64_t>(size));
      const int64_t available = FreeBytes(path_);
      return Error{
          ErrorCode::kIo,
          fmt::format("cannot write {}: {}; {} more are needed{}", path_, std::strerror(code), FormatBytes(needed),
                      available < 0 ? "" : fmt::format(", {} are free", FormatBytes(available)))};
    }
    next += written;
    size -= static_cast<size_t>(written);
    size_ += written;
  }
  return {};
}

Status OutputFile::Truncate() {
  if (ftruncate(descriptor_, 0) != 0 || lseek(descriptor_, 0, SEEK_SET) != 0) return IoError("empty", path_, errno);
  size_ = 0;
  return {};
}

Status OutputFile::CheckRoom(int64_t bytes) const {
  const int64_t available = FreeBytes(path_);
  if (available < 0 || available >= bytes) return {};
  return Error{
      ErrorCode::kIo,
      fmt::format("the disk of {} is too full: {} are needed, {} are free; make room or name another folder in "
                  "LTRI_MODELS",
                  path_, FormatBytes(bytes), FormatBytes(available))};
}

Status OutputFile::RenameTo(const std::string& path) {
  if (fsync(descriptor_) != 0 && errno != EINVAL) return IoError("finish", path_, errno);
  if (std::rename(path_.c_str(), path.c_str()) != 0) return IoError("name", path, errno);
  close(std::exchange(descriptor_, -1));
  path_ = path;
  return {};
}

}  // namespace ltri
