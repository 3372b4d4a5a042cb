#include "memory/spill_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace ltri {
namespace {

constexpr int64_t kUnit = 4096;  // blocks begin at pages

}  // namespace

Result<std::shared_ptr<SpillFile>> SpillFile::Create() {
  const char* named = std::getenv("TMPDIR");
  const std::string folder = named != nullptr && *named != '\0' ? named : "/var/tmp";
  // Unlinked at once where the file system knows no nameless files.
  int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    std::string path = folder + "/ltri-XXXXXX";
    descriptor = mkostemp(path.data(), O_CLOEXEC);
    if (descriptor >= 0) unlink(path.c_str());
  }
  if (descriptor < 0) {
    return Error{ErrorCode::kIo, fmt::format("cannot make a temporary file in '{}': {} (TMPDIR names another folder)",
                                             folder, std::strerror(errno))};
  }
  return std::shared_ptr<SpillFile>(new SpillFile(descriptor, folder));
}

SpillFile::~SpillFile() { close(descriptor_); }

Error SpillFile::Failure(const char* what) const {
  return {ErrorCode::kIo, fmt::format("the temporary file in '{}' cannot be {}: {}; a larger --memory needs less of it",
                                      folder_, what, std::strerror(errno))};
}

Result<int64_t> SpillFile::Append(std::span<const std::byte> bytes) {
  std::vector<int64_t>& free = free_[static_cast<int64_t>(bytes.size())];
  const int64_t offset = free.empty() ? end_ : free.back();
  int64_t at = offset;
  while (!bytes.empty()) {
    const ssize_t written = pwrite(descriptor_, bytes.data(), bytes.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Failure("written");
    bytes = bytes.subspan(static_cast<size_t>(written));
    at += written;
  }
  if (!free.empty()) free.pop_back();
  end_ = std::max(end_, (at + kUnit - 1) / kUnit * kUnit);
  return offset;
}

void SpillFile::WillRead(int64_t offset, int64_t bytes) const {
  (void)posix_fadvise(descriptor_, offset, bytes, POSIX_FADV_WILLNEED);
}

Status SpillFile::Read(int64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = pread(descriptor_, bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Failure("read");
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += count;
  }
  return {};
}

}  // namespace ltri
