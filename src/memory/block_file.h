// BlockFile: where blocks are when they are not in RAM. A block is an immutable string of bytes.
#ifndef LTRI_MEMORY_BLOCK_FILE_H_
#define LTRI_MEMORY_BLOCK_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "ltri/result.h"

namespace ltri {

class BlockFile {
 public:
  virtual ~BlockFile() = default;

  // Adds a block; the result is where it can be read again, at once. One writer at a time.
  virtual Result<int64_t> Append(std::span<const std::byte> bytes) = 0;

  // Nobody will read the block at `offset` again: a file that can may use its place anew. The writer's business.
  virtual void Forget(int64_t /*offset*/, int64_t /*bytes*/) {}

  // A hint: the block at `offset` will be read soon.
  virtual void WillRead(int64_t /*offset*/, int64_t /*bytes*/) const {}

  // The block at `offset`, as long as `bytes`. Any number of threads, also while another appends.
  // Errors: kIo, kCorrupt with the file, the offset and what is wrong.
  virtual Status Read(int64_t offset, std::span<std::byte> bytes) const = 0;
};

}  // namespace ltri

#endif  // LTRI_MEMORY_BLOCK_FILE_H_
