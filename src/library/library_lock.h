// LibraryLock: the right to write to a library. One process has it at a time; it ends with the process.
#ifndef LTRI_LIBRARY_LIBRARY_LOCK_H_
#define LTRI_LIBRARY_LIBRARY_LOCK_H_

#include <memory>
#include <string>

#include "base/file.h"

namespace ltri {

class LibraryLock {
 public:
  static std::string PathIn(const std::string& folder) { return folder + "/lock"; }

  // Error kIo says which process holds it, on which host, since when.
  static Result<LibraryLock> Take(FileSystem& files, const std::string& folder);

 private:
  explicit LibraryLock(std::unique_ptr<File> file) : file_(std::move(file)) {}

  std::unique_ptr<File> file_;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_LIBRARY_LOCK_H_
