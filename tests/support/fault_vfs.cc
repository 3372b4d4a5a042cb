// The SQLite side of FaultDisk: SQLite's own VFS, with every change of the disk asked for first.
#include <sqlite3.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "support/fault_disk.h"

namespace ltri::testing {
namespace {

sqlite3_vfs* System() { return sqlite3_vfs_find(nullptr); }

// One open file; SQLite allocates it with room for the system's own behind it.
struct FaultSqliteFile {
  sqlite3_file base;
  FaultDisk* disk;
  std::string* path;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  bool MayGo(bool is_write) const { return disk->Next(is_write) == FaultDisk::Verdict::kGo; }
};

FaultSqliteFile* Of(sqlite3_file* file) { return reinterpret_cast<FaultSqliteFile*>(file); }
sqlite3_file* RealOf(sqlite3_file* file) { return Of(file)->real(); }

int Close(sqlite3_file* file) {
  delete Of(file)->path;
  return RealOf(file)->pMethods->xClose(RealOf(file));
}

int Read(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
  return RealOf(file)->pMethods->xRead(RealOf(file), bytes, count, offset);
}

int Write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  sqlite3_file* real = RealOf(file);
  const FaultDisk::Verdict verdict = Of(file)->disk->Next(/*is_write=*/true);
  if (verdict == FaultDisk::Verdict::kGo) return real->pMethods->xWrite(real, bytes, count, offset);
  if (verdict == FaultDisk::Verdict::kHalf) real->pMethods->xWrite(real, bytes, count / 2, offset);
  return SQLITE_FULL;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (!Of(file)->MayGo(false)) return SQLITE_IOERR_TRUNCATE;
  return RealOf(file)->pMethods->xTruncate(RealOf(file), size);
}

int Sync(sqlite3_file* file, int /*flags*/) {
  if (!Of(file)->MayGo(false)) return SQLITE_IOERR_FSYNC;
  Of(file)->disk->Synced(*Of(file)->path);
  Of(file)->disk->Named(*Of(file)->path);
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) { return RealOf(file)->pMethods->xFileSize(RealOf(file), size); }
int Lock(sqlite3_file* file, int kind) { return RealOf(file)->pMethods->xLock(RealOf(file), kind); }
int Unlock(sqlite3_file* file, int kind) { return RealOf(file)->pMethods->xUnlock(RealOf(file), kind); }
int CheckReservedLock(sqlite3_file* file, int* result) {
  return RealOf(file)->pMethods->xCheckReservedLock(RealOf(file), result);
}
int FileControl(sqlite3_file* file, int operation, void* argument) {
  return RealOf(file)->pMethods->xFileControl(RealOf(file), operation, argument);
}
int SectorSize(sqlite3_file* file) { return RealOf(file)->pMethods->xSectorSize(RealOf(file)); }
int Characteristics(sqlite3_file* file) { return RealOf(file)->pMethods->xDeviceCharacteristics(RealOf(file)); }
int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  return RealOf(file)->pMethods->xShmMap(RealOf(file), page, size, extend, memory);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return RealOf(file)->pMethods->xShmLock(RealOf(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) { RealOf(file)->pMethods->xShmBarrier(RealOf(file)); }
int ShmUnmap(sqlite3_file* file, int remove) { return RealOf(file)->pMethods->xShmUnmap(RealOf(file), remove); }

const sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Truncate,
    .xSync = Sync,
    .xFileSize = FileSize,
    .xLock = Lock,
    .xUnlock = Unlock,
    .xCheckReservedLock = CheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = Characteristics,
    .xShmMap = ShmMap,
    .xShmLock = ShmLock,
    .xShmBarrier = ShmBarrier,
    .xShmUnmap = ShmUnmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  FaultSqliteFile* fault = Of(file);
  file->pMethods = nullptr;
  const int code = System()->xOpen(System(), path, fault->real(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  fault->disk = static_cast<FaultDisk*>(vfs->pAppData);
  fault->path = new std::string(path == nullptr ? "" : path);
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  auto* disk = static_cast<FaultDisk*>(vfs->pAppData);
  if (disk->Next(false) != FaultDisk::Verdict::kGo) return SQLITE_IOERR_DELETE;
  return System()->xDelete(System(), path, sync_folder);
}

std::map<std::string, std::unique_ptr<sqlite3_vfs>>& Layers() {
  static std::map<std::string, std::unique_ptr<sqlite3_vfs>> layers;
  return layers;
}

}  // namespace

void AddFaultVfs(FaultDisk& disk, const std::string& name) {
  const auto place = Layers().emplace(name, std::make_unique<sqlite3_vfs>(*System())).first;
  sqlite3_vfs& vfs = *place->second;
  vfs.szOsFile = static_cast<int>(sizeof(FaultSqliteFile)) + System()->szOsFile;
  vfs.pNext = nullptr;
  vfs.zName = place->first.c_str();
  vfs.pAppData = &disk;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  sqlite3_vfs_register(&vfs, 0);
}

void RemoveFaultVfs(const std::string& name) {
  sqlite3_vfs_unregister(Layers().at(name).get());
  Layers().erase(name);
}

}  // namespace ltri::testing
