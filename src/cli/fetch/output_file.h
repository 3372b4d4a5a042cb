// OutputFile: a file that grows, locked against a second writer, with errors that say how much room is missing.
#ifndef LTRI_CLI_FETCH_OUTPUT_FILE_H_
#define LTRI_CLI_FETCH_OUTPUT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "ltri/result.h"

namespace ltri {

class OutputFile {
 public:
  // Opens or creates the file and its folders, and places writes at its end. Errors: kIo, also when another process is
  // writing to it.
  static Result<OutputFile> Open(const std::string& path);

  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  int64_t size() const { return size_; }
  const std::string& path() const { return path_; }

  // Error kIo; `total` is the size in bytes that the file is meant to reach, for the message (0: not known).
  Status Write(const void* bytes, size_t size, int64_t total);
  Status Truncate();

  // Error kIo when fewer than `bytes` more fit the disk.
  Status CheckRoom(int64_t bytes) const;

  // Puts the bytes on the disk, gives the file its name and closes it.
  Status RenameTo(const std::string& path);

 private:
  OutputFile(std::string path, int descriptor, int64_t size);

  std::string path_;
  int descriptor_;
  int64_t size_;
};

// "97.2 MB"
std::string FormatBytes(int64_t bytes);

}  // namespace ltri

#endif  // LTRI_CLI_FETCH_OUTPUT_FILE_H_
