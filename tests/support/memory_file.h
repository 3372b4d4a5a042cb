// MemoryFile: blocks in RAM, as if in a file, which fails on demand.
#ifndef LTRI_TESTS_SUPPORT_MEMORY_FILE_H_
#define LTRI_TESTS_SUPPORT_MEMORY_FILE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "memory/block_file.h"

namespace ltri::testing {

class MemoryFile : public BlockFile {
 public:
  Result<int64_t> Append(std::span<const std::byte> bytes) override {
    const std::lock_guard lock(mutex_);
    if (full) return Error{ErrorCode::kIo, "no space left"};
    const int64_t offset = next_;
    blocks_[offset].assign(bytes.begin(), bytes.end());
    next_ += static_cast<int64_t>(bytes.size()) + 100;
    return offset;
  }

  Status Read(int64_t offset, std::span<std::byte> bytes) const override {
    const std::lock_guard lock(mutex_);
    ++reads;
    const auto block = blocks_.find(offset);
    if (broken || block == blocks_.end() || block->second.size() != bytes.size()) {
      return Error{ErrorCode::kCorrupt, "no such block"};
    }
    std::copy(block->second.begin(), block->second.end(), bytes.begin());
    return {};
  }

  int64_t count() const { return static_cast<int64_t>(blocks_.size()); }

  std::atomic<bool> full = false;
  std::atomic<bool> broken = false;
  mutable std::atomic<int64_t> reads = 0;

 private:
  mutable std::mutex mutex_;
  std::map<int64_t, std::vector<std::byte>> blocks_;
  int64_t next_ = 4096;
};

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_MEMORY_FILE_H_
