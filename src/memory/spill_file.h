// SpillFile: a nameless temporary file of blocks, for sessions that may not keep everything in RAM. It is gone with the
// process, however that ends.
#ifndef LTRI_MEMORY_SPILL_FILE_H_
#define LTRI_MEMORY_SPILL_FILE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "memory/block_file.h"

namespace ltri {

class SpillFile : public BlockFile {
 public:
  // In $TMPDIR, or /var/tmp: /tmp may be RAM. Error kIo names the folder.
  static Result<std::shared_ptr<SpillFile>> Create();

  ~SpillFile() override;
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  Result<int64_t> Append(std::span<const std::byte> bytes) override;
  // Here of any part of a block.
  Status Read(int64_t offset, std::span<std::byte> bytes) const override;
  void WillRead(int64_t offset, int64_t bytes) const override;
  void Forget(int64_t offset, int64_t bytes) override { free_[bytes].push_back(offset); }

  int64_t bytes() const { return end_; }  // on disk

 private:
  SpillFile(int descriptor, std::string folder) : descriptor_(descriptor), folder_(std::move(folder)) {}
  Error Failure(const char* what) const;

  int descriptor_;
  std::string folder_;
  int64_t end_ = 0;
  std::map<int64_t, std::vector<int64_t>> free_;  // places of blocks that were forgotten, by their size
};

}  // namespace ltri

#endif  // LTRI_MEMORY_SPILL_FILE_H_
