#include "library/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "library/format.h"
#include "library/library_lock.h"
#include "library/recovery.h"
#include "library/state_file.h"

namespace ltri {
namespace {

bool CatalogueIsWhole(FileSystem& files, const std::string& folder) {
  Result<Catalogue> catalogue = Catalogue::Open(files, Store::CataloguePath(folder), Access::kWrite);
  return catalogue.ok() && catalogue->Check().ok() && catalogue->All().ok();
}

// The newest state in a document's folder that is whole.
std::optional<DocumentRecord> NewestRecord(FileSystem& files, const std::string& folder, uint64_t id) {
  const Result<std::vector<std::string>> names = files.List(folder);
  if (!names.ok()) return std::nullopt;
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    const std::optional<int64_t> generation = ParseStateName(*name);
    if (!generation) continue;
    Result<DocumentState> state = ReadState(files, folder, id, *generation);
    if (state.ok()) return std::move(state->record);
  }
  return std::nullopt;
}

// Fills the catalogue at `path`, which is closed again.
Status FillCatalogue(FileSystem& files, const std::string& folder, const std::string& path,
                     std::vector<std::string>* repaired) {
  const Result<std::vector<std::string>> names = files.List(folder);
  if (!names.ok()) return names.error();
  std::vector<DocumentRecord> records;
  for (const std::string& name : *names) {
    const std::optional<uint64_t> id = ParseId(name);
    if (!id) continue;
    std::optional<DocumentRecord> record = NewestRecord(files, fmt::format("{}/{}", folder, name), *id);
    if (record) {
      records.push_back(std::move(*record));
    } else {
      repaired->push_back(fmt::format("{}/{}: holds no whole state and was given up", folder, name));
    }
  }
  // Of two with one name, the newer is the one that took the other's place.
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.updated < b.updated; });
  Result<Catalogue> catalogue = Catalogue::Make(files, path);
  if (!catalogue.ok()) return catalogue.error();
  for (const DocumentRecord& record : records) {
    if (Status status = catalogue->Commit(record, {}); !status.ok()) return status;
  }
  return catalogue->Compact();
}

// A crash at any point leaves the old catalogue, or none, and the documents: repair begins again.
Status RebuildCatalogue(FileSystem& files, const std::string& folder, std::vector<std::string>* repaired) {
  const std::string path = Store::CataloguePath(folder);
  const std::string fresh = path + ".new";
  for (const char* suffix : {"", "-wal", "-shm"}) {
    if (Status status = RemoveIfThere(files, fresh + suffix); !status.ok()) return status;
  }
  if (Status status = FillCatalogue(files, folder, fresh, repaired); !status.ok()) return status;
  const Status moved = files.Rename(path, path + ".damaged");
  if (!moved.ok() && moved.error().code != ErrorCode::kNotFound) return moved;
  // The log of the old catalogue must not be played into the new one.
  for (const char* suffix : {"-wal", "-shm"}) {
    if (Status status = RemoveIfThere(files, path + suffix); !status.ok()) return status;
  }
  if (Status status = files.SyncFolder(folder); !status.ok()) return status;
  if (Status status = files.Rename(fresh, path); !status.ok()) return status;
  repaired->push_back(fmt::format("{}: was damaged or missing and has been made anew", path));
  return files.SyncFolder(folder);
}

// Goes back to the commit before when that one is whole and the last is not.
Status RepairDocument(Store& store, const DocumentRecord& record, const ProgressCallback& progress,
                      std::vector<std::string>* repaired) {
  const Result<VerifyReport> found = VerifyDocument(store, record, progress);
  if (!found.ok()) return found.error();
  if (found->damage.empty()) return {};
  const std::string folder = store.FolderOf(record.id);
  const Result<DocumentState> before = ReadState(store.files(), folder, record.id, record.generation - 1);
  if (!before.ok()) return {};
  const Result<VerifyReport> found_before = VerifyDocument(store, before->record, progress);
  if (!found_before.ok()) return found_before.error();
  if (!found_before->damage.empty()) return {};
  if (Status status = store.catalogue().Commit(before->record, {}); !status.ok()) return status;
  if (Status status = store.catalogue().DropSpansBehind(record.name, before->record.tokens); !status.ok()) {
    return status;
  }
  repaired->push_back(
      fmt::format("document '{}': went back from {} to {} tokens, because the last commit was damaged: {}", record.name,
                  record.tokens, before->record.tokens, found->damage.front().what));
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> RepairStore(FileSystem& files, const std::string& folder,
                                           const ProgressCallback& progress, std::vector<std::string>* repaired) {
  if (const auto names = files.List(folder); !names.ok()) return names.error();
  {
    const Result<LibraryLock> lock = LibraryLock::Take(files, folder);
    if (!lock.ok()) return lock.error();
    if (!CatalogueIsWhole(files, folder)) {
      if (Status status = RebuildCatalogue(files, folder, repaired); !status.ok()) return status.error();
    }
  }
  Result<std::unique_ptr<Store>> store = Store::Open(files, folder, Access::kWrite);
  if (!store.ok()) return store.error();
  const Result<std::vector<DocumentRecord>> records = (*store)->catalogue().All();
  if (!records.ok()) return records.error();
  for (const DocumentRecord& record : *records) {
    if (Status status = RepairDocument(**store, record, progress, repaired); !status.ok()) return status.error();
  }
  // What the commits that were given up had added.
  if (Status status = Recover(files, folder, (*store)->catalogue()); !status.ok()) return status.error();
  return store;
}

}  // namespace ltri
