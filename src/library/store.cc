#include "library/store.h"

#include <fmt/format.h>

#include <algorithm>

#include "library/format.h"
#include "library/recovery.h"

namespace ltri {
namespace {

// The same error with what may be done about it.
Error WithHint(const Error& error, const std::string& folder) {
  if (error.code != ErrorCode::kCorrupt) return error;
  return {error.code, fmt::format("{}; to make the catalogue anew from the documents: ltri library repair --library {}",
                                  error.message, folder)};
}

}  // namespace

std::string Store::FolderOf(uint64_t document) const { return folder_ + "/" + IdText(document); }

Result<std::unique_ptr<Store>> Store::Open(FileSystem& files, const std::string& folder, Access access) {
  return access == Access::kRead ? OpenForReading(files, folder) : OpenForWriting(files, folder);
}

Result<std::unique_ptr<Store>> Store::OpenForReading(FileSystem& files, const std::string& folder) {
  const Result<std::vector<std::string>> names = files.List(folder);
  if (!names.ok()) {
    return Error{names.error().code,
                 fmt::format("there is no library in {}; `ltri index NAME FILE` makes one", folder)};
  }
  std::unique_ptr<Store> store(new Store(files, folder));
  Result<Catalogue> catalogue = Catalogue::Open(files, CataloguePath(folder), Access::kRead);
  if (!catalogue.ok()) return WithHint(catalogue.error(), folder);
  store->catalogue_ = std::move(*catalogue);
  return store;
}

Result<std::unique_ptr<Store>> Store::OpenForWriting(FileSystem& files, const std::string& folder) {
  if (Status status = files.MakeFolder(folder); !status.ok()) return status.error();
  std::unique_ptr<Store> store(new Store(files, folder));
  Result<LibraryLock> lock = LibraryLock::Take(files, folder);
  if (!lock.ok()) return lock.error();
  store->lock_ = std::move(*lock);
  const Result<std::vector<std::string>> names = files.List(folder);
  if (!names.ok()) return names.error();
  // A new catalogue beside documents would declare them rubbish.
  const bool has_documents =
      std::any_of(names->begin(), names->end(), [](const std::string& name) { return ParseId(name).has_value(); });
  const std::string path = CataloguePath(folder);
  if (has_documents && std::find(names->begin(), names->end(), kCatalogueName) == names->end()) {
    return WithHint({ErrorCode::kCorrupt, fmt::format("{}: is missing, but there are documents", path)}, folder);
  }
  Result<Catalogue> catalogue =
      has_documents ? Catalogue::Open(files, path, Access::kWrite) : Catalogue::Make(files, path);
  if (!catalogue.ok()) return WithHint(catalogue.error(), folder);
  store->catalogue_ = std::move(*catalogue);
  if (Status status = files.SyncFolder(folder); !status.ok()) return status.error();
  if (Status status = Recover(files, folder, *store->catalogue_); !status.ok()) return WithHint(status.error(), folder);
  return store;
}

}  // namespace ltri
