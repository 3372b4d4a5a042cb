// FramePool: pieces of memory of one size, cut from slabs.
//
// Slabs lie on huge pages where the system has them: spans are short and all over a long text, and with small pages
// finding them takes longer than reading them. Empty slabs go back to the system.
//
// Thread safety: none.
#ifndef LTRI_MEMORY_FRAME_POOL_H_
#define LTRI_MEMORY_FRAME_POOL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace ltri {

class FramePool {
 public:
  // frame_bytes: rounded up to whole pages.
  explicit FramePool(int64_t frame_bytes);
  ~FramePool();
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  // A frame, page-aligned, of undefined contents. Throws std::bad_alloc.
  std::byte* Take();
  void Give(std::byte* frame);

 private:
  void AddSlab();

  int64_t frame_bytes_;
  int64_t slab_bytes_;
  std::map<std::byte*, std::vector<std::byte*>> slabs_;  // their free frames
  std::set<std::byte*> open_;                            // slabs with free frames
};

}  // namespace ltri

#endif  // LTRI_MEMORY_FRAME_POOL_H_
