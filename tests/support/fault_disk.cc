#include "support/fault_disk.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "support/temporary_folder.h"

namespace ltri::testing {
namespace {

namespace fs = std::filesystem;

bool IsCrash(Fault fault) { return fault == Fault::kKill || fault == Fault::kPowerLoss || fault == Fault::kTornTail; }

Error Failure(const std::string& path) { return {ErrorCode::kIo, path + ": injected failure"}; }

class FaultFile : public File {
 public:
  FaultFile(FaultDisk& disk, std::unique_ptr<File> file) : disk_(disk), file_(std::move(file)) {}

  const std::string& path() const override { return file_->path(); }
  Result<int64_t> Size() const override { return file_->Size(); }
  Status Read(int64_t offset, std::span<std::byte> bytes) const override { return file_->Read(offset, bytes); }

  Status Append(std::span<const std::byte> bytes) override {
    const FaultDisk::Verdict verdict = disk_.Next(/*is_write=*/true);
    if (verdict == FaultDisk::Verdict::kGo) return file_->Append(bytes);
    if (verdict == FaultDisk::Verdict::kHalf) (void)file_->Append(bytes.first(bytes.size() / 2));
    return Failure(path());
  }
  Status Truncate(int64_t size) override {
    if (disk_.Next(false) != FaultDisk::Verdict::kGo) return Failure(path());
    return file_->Truncate(size);
  }
  Status Sync() override {
    if (disk_.Next(false) != FaultDisk::Verdict::kGo) return Failure(path());
    disk_.Synced(path());
    return {};
  }

 private:
  FaultDisk& disk_;
  std::unique_ptr<File> file_;
};

// What was not synced, as noise.
std::string Torn(const std::string& now, const std::string& synced) {
  std::string torn = synced.substr(0, std::min(now.size(), synced.size()));
  while (torn.size() < now.size()) torn += static_cast<char>(torn.size() * 37 + 11);
  return torn;
}

}  // namespace

const char* FaultName(Fault fault) {
  switch (fault) {
    case Fault::kError:
      return "error";
    case Fault::kShortWrite:
      return "short write";
    case Fault::kNoSpace:
      return "no space";
    case Fault::kKill:
      return "kill";
    case Fault::kPowerLoss:
      return "power loss";
    case Fault::kTornTail:
      return "torn tail";
  }
  return "";
}

FaultDisk::Verdict FaultDisk::Next(bool is_write) {
  const int64_t operation = operations_++;
  if (fail_at_ < 0 || operation < fail_at_) return Verdict::kGo;
  const bool first = operation == fail_at_;
  const bool half = is_write && first && (fault_ == Fault::kShortWrite || fault_ == Fault::kKill);
  if (half) return Verdict::kHalf;
  if (first || IsCrash(fault_)) return Verdict::kFail;
  return fault_ == Fault::kNoSpace && is_write ? Verdict::kFail : Verdict::kGo;
}

void FaultDisk::Synced(const std::string& path) { synced_[path] = ReadFile(path); }
void FaultDisk::Named(const std::string& path) { (fs::is_directory(path) ? folders_ : named_).insert(path); }

void FaultDisk::FolderSynced(const std::string& folder) {
  const std::string prefix = folder + "/";
  const auto is_gone = [&](const std::string& path) { return path.starts_with(prefix) && !fs::exists(path); };
  std::erase_if(named_, is_gone);
  std::erase_if(folders_, is_gone);
  for (const auto& entry : fs::directory_iterator(folder)) Named(entry.path().string());
}

void FaultDisk::Renamed(const std::string& from, const std::string& to) { synced_[to] = synced_[from]; }

void FaultDisk::Restart() {
  if (fault_ != Fault::kPowerLoss && fault_ != Fault::kTornTail) return;
  std::vector<fs::path> lost;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    const std::string path = entry.path().string();
    if (!named_.contains(path) && !folders_.contains(path)) lost.push_back(path);
  }
  for (const fs::path& path : lost) fs::remove_all(path);
  for (const std::string& path : folders_) fs::create_directories(path);
  for (const std::string& path : named_) {
    const bool torn = fault_ == Fault::kTornTail && fs::exists(path);
    WriteFile(path, torn ? Torn(ReadFile(path), synced_[path]) : synced_[path]);
  }
}

FaultFileSystem::FaultFileSystem(FaultDisk& disk) : disk_(disk) {
  static int count = 0;
  layer_ = "ltri-fault-" + std::to_string(++count);
  AddFaultVfs(disk_, layer_);
}

FaultFileSystem::~FaultFileSystem() { RemoveFaultVfs(layer_); }

Result<std::unique_ptr<File>> FaultFileSystem::Open(const std::string& path, OpenFor purpose) {
  if (purpose == OpenFor::kCreating && disk_.Next(false) != FaultDisk::Verdict::kGo) return Failure(path);
  Result<std::unique_ptr<File>> file = FileSystem::Posix().Open(path, purpose);
  if (!file.ok()) return file.error();
  return std::unique_ptr<File>(std::make_unique<FaultFile>(disk_, std::move(*file)));
}

Status FaultFileSystem::Rename(const std::string& from, const std::string& to) {
  if (disk_.Next(false) != FaultDisk::Verdict::kGo) return Failure(from);
  disk_.Renamed(from, to);
  return FileSystem::Posix().Rename(from, to);
}

Status FaultFileSystem::Remove(const std::string& path) {
  if (disk_.Next(false) != FaultDisk::Verdict::kGo) return Failure(path);
  return FileSystem::Posix().Remove(path);
}

Status FaultFileSystem::RemoveFolder(const std::string& path) {
  if (disk_.Next(false) != FaultDisk::Verdict::kGo) return Failure(path);
  return FileSystem::Posix().RemoveFolder(path);
}

Status FaultFileSystem::MakeFolder(const std::string& path) {
  if (fs::is_directory(path)) return {};
  if (disk_.Next(false) != FaultDisk::Verdict::kGo) return Failure(path);
  fs::create_directories(path);
  disk_.Named(path);
  return {};
}

Result<std::vector<std::string>> FaultFileSystem::List(const std::string& folder) {
  return FileSystem::Posix().List(folder);
}

Status FaultFileSystem::SyncFolder(const std::string& folder) {
  if (disk_.Next(false) != FaultDisk::Verdict::kGo) return Failure(folder);
  disk_.FolderSynced(folder);
  return {};
}

Result<std::unique_ptr<File>> FaultFileSystem::Lock(const std::string& path) {
  Result<std::unique_ptr<File>> file = FileSystem::Posix().Lock(path);
  if (!file.ok() || *file == nullptr) return file;
  return std::unique_ptr<File>(std::make_unique<FaultFile>(disk_, std::move(*file)));
}

}  // namespace ltri::testing
