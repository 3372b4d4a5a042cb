#include "cli/fetch/unpack.h"

#include <fmt/format.h>
#include <zip.h>

#include <memory>
#include <vector>

namespace ltri {
namespace {

struct ArchiveDeleter {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct EntryDeleter {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

std::string OpenError(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

}  // namespace

Status AppendZipEntry(const std::string& archive, const std::string& entry, int64_t limit, OutputFile* output) {
  int code = 0;
  const std::unique_ptr<zip_t, ArchiveDeleter> zip(zip_open(archive.c_str(), ZIP_RDONLY, &code));
  if (zip == nullptr) {
    return Error{ErrorCode::kCorrupt, fmt::format("{} is not a zip archive: {}", archive, OpenError(code))};
  }
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat(zip.get(), entry.c_str(), 0, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0) {
    return Error{ErrorCode::kNotFound, fmt::format("{} holds no {}", archive, entry)};
  }
  if (stat.size > static_cast<zip_uint64_t>(limit)) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: {} has {} bytes, {} at most are expected", archive, entry, stat.size, limit)};
  }
  const std::unique_ptr<zip_file_t, EntryDeleter> file(zip_fopen(zip.get(), entry.c_str(), 0));
  if (file == nullptr) return Error{ErrorCode::kCorrupt, fmt::format("{}: {}", archive, zip_strerror(zip.get()))};
  const int64_t total = output->size() + static_cast<int64_t>(stat.size);
  std::vector<char> block(size_t{1} << 20);
  for (;;) {
    const zip_int64_t size = zip_fread(file.get(), block.data(), block.size());
    if (size < 0) return Error{ErrorCode::kCorrupt, fmt::format("{}: {} is damaged", archive, entry)};
    if (size == 0) break;
    if (const Status status = output->Write(block.data(), static_cast<size_t>(size), total); !status.ok())
      return status;
  }
  if (output->size() == total) return {};
  return Error{ErrorCode::kCorrupt, fmt::format("{}: {} ends too early", archive, entry)};
}

}  // namespace ltri
