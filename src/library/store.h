// Store: an open library folder: its catalogue, the right to write when asked for, and where documents lie.
//
// Thread safety: one caller at a time.
#ifndef LTRI_LIBRARY_STORE_H_
#define LTRI_LIBRARY_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "library/catalogue.h"
#include "library/library_lock.h"

namespace ltri {

class Store {
 public:
  // kWrite makes the folder when it is missing, takes the lock and removes what a crash left (recovery.h).
  // Errors: kNotFound, kCorrupt, kUnsupported, kIo (also when another writes).
  static Result<std::unique_ptr<Store>> Open(FileSystem& files, const std::string& folder, Access access);

  FileSystem& files() const { return files_; }
  Catalogue& catalogue() { return *catalogue_; }
  const std::string& folder() const { return folder_; }
  std::string FolderOf(uint64_t document) const;
  static constexpr const char* kCatalogueName = "catalogue.db";
  static std::string CataloguePath(const std::string& folder) { return folder + "/" + kCatalogueName; }

 private:
  static Result<std::unique_ptr<Store>> OpenForReading(FileSystem& files, const std::string& folder);
  static Result<std::unique_ptr<Store>> OpenForWriting(FileSystem& files, const std::string& folder);
  Store(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  FileSystem& files_;
  std::string folder_;
  std::optional<LibraryLock> lock_;  // let go after the catalogue is closed
  std::optional<Catalogue> catalogue_;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_STORE_H_
