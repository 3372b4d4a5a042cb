// FaultDisk: files in a folder on a disk that fails at a chosen operation, or loses power there.
//
// Our own files reach it through FaultFileSystem, SQLite's through a VFS with the name of `database_layer`. Only
// operations that change the disk count; reads always work. Nothing is really synced, so tests are fast.
#ifndef LTRI_TESTS_SUPPORT_FAULT_DISK_H_
#define LTRI_TESTS_SUPPORT_FAULT_DISK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "base/file.h"

namespace ltri::testing {

enum class Fault {
  kError,       // the operation fails without effect (a failed fsync, a bad sector)
  kShortWrite,  // half of what is to be written is, then an error
  kNoSpace,     // the operation and all later writes fail
  kKill,        // the program ends there, half way through a write; what it wrote survives
  kPowerLoss,   // nothing happens any more, and all that was not synced is lost
  kTornTail,    // the same, but what was not synced survives as noise of the same length
};
inline constexpr Fault kAllFaults[] = {Fault::kError, Fault::kShortWrite, Fault::kNoSpace,
                                       Fault::kKill,  Fault::kPowerLoss,  Fault::kTornTail};
const char* FaultName(Fault fault);

class FaultDisk {
 public:
  // `folder` exists, and its files survive everything.
  explicit FaultDisk(std::string folder) : folder_(std::move(folder)) {}

  // The operation with this number, from 0, fails so. Later ones work again unless the fault says otherwise.
  void FailAt(int64_t operation, Fault fault) {
    fail_at_ = operation;
    fault_ = fault;
  }
  int64_t operations() const { return operations_; }
  bool failed() const { return fail_at_ >= 0 && operations_ > fail_at_; }

  // After the program's files are closed: makes the folder what a restart would find.
  void Restart();

  // For the layers. An operation calls Next first; kHalf means: write half and fail.
  enum class Verdict { kGo, kHalf, kFail };
  Verdict Next(bool is_write);
  void Synced(const std::string& path);          // its content now is durable
  void Named(const std::string& path);           // its name is
  void FolderSynced(const std::string& folder);  // the names in it are
  void Renamed(const std::string& from, const std::string& to);

 private:
  const std::string folder_;
  int64_t operations_ = 0;
  int64_t fail_at_ = -1;
  Fault fault_ = Fault::kError;
  std::map<std::string, std::string> synced_;  // what each path held when it was last synced
  std::set<std::string> named_;                // files whose names are durable
  std::set<std::string> folders_;              // folders whose names are
};

class FaultFileSystem : public FileSystem {
 public:
  explicit FaultFileSystem(FaultDisk& disk);
  ~FaultFileSystem() override;
  FaultFileSystem(const FaultFileSystem&) = delete;
  FaultFileSystem& operator=(const FaultFileSystem&) = delete;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenFor purpose) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveFolder(const std::string& path) override;
  Status MakeFolder(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& folder) override;
  Status SyncFolder(const std::string& folder) override;
  Result<std::unique_ptr<File>> Lock(const std::string& path) override;
  const char* database_layer() const override { return layer_.c_str(); }

 private:
  FaultDisk& disk_;
  std::string layer_;
};

// Registers an SQLite VFS of this name over `disk`, and takes it away again.
void AddFaultVfs(FaultDisk& disk, const std::string& name);
void RemoveFaultVfs(const std::string& name);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_FAULT_DISK_H_
