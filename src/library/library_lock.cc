#include "library/library_lock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <ctime>

#include "base/serial.h"

namespace ltri {
namespace {

constexpr int64_t kMostNote = 1024;  // bytes

std::string Note() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> since{};
  const size_t length = std::strftime(since.data(), since.size(), "%Y-%m-%d %H:%M:%S UTC", &utc);
  return fmt::format("process {} on {} since {}", getpid(), host.data(), std::string_view(since.data(), length));
}

}  // namespace

Result<LibraryLock> LibraryLock::Take(FileSystem& files, const std::string& folder) {
  const std::string path = PathIn(folder);
  Result<std::unique_ptr<File>> file = files.Lock(path);
  if (!file.ok()) return file.error();
  if (*file == nullptr) {
    const Result<std::vector<std::byte>> note = ReadWhole(files, path, kMostNote);
    return Error{ErrorCode::kIo,
                 fmt::format("the library {} is being written by {}; one at a time may write, any number "
                             "may read",
                             folder, note.ok() ? TextOf(*note) : "another process")};
  }
  const std::string note = Note();
  if (Status status = (*file)->Truncate(0); !status.ok()) return status.error();
  if (Status status = (*file)->Append(BytesOf(note)); !status.ok()) return status.error();
  return LibraryLock(std::move(*file));
}

}  // namespace ltri
