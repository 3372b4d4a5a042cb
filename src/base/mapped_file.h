// MappedFile: a file's bytes, read-only, mapped into memory.
//
// Thread safety: immutable after Open. The file must not be shortened while it is mapped.
#ifndef LTRI_BASE_MAPPED_FILE_H_
#define LTRI_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <span>
#include <string>

#include "ltri/result.h"

namespace ltri {

class MappedFile {
 public:
  // Errors: kNotFound (no such file), kInvalidArgument (no name, a folder or another thing without bytes),
  // kCorrupt (empty), kIo (may not be read or mapped).
  static Result<MappedFile> Open(const std::string& path);

  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}

  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ltri

#endif  // LTRI_BASE_MAPPED_FILE_H_
