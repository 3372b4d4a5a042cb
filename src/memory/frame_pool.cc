#include "memory/frame_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <new>

namespace ltri {
namespace {

constexpr int64_t kPage = 4096;
constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kLeastSlab = 2 * kHugePage;

int64_t RoundUp(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

// Memory that begins at a huge page.
std::byte* MapSlab(int64_t bytes) {
  const auto reserved = static_cast<size_t>(bytes + kHugePage);
  void* mapped = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* begin = static_cast<std::byte*>(mapped);
  const auto ahead = static_cast<int64_t>((kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage);
  if (ahead > 0) munmap(begin, static_cast<size_t>(ahead));
  if (ahead < kHugePage) munmap(begin + ahead + bytes, static_cast<size_t>(kHugePage - ahead));
  madvise(begin + ahead, static_cast<size_t>(bytes), MADV_HUGEPAGE);  // a wish: small pages work too
  return begin + ahead;
}

}  // namespace

FramePool::FramePool(int64_t frame_bytes)
    : frame_bytes_(RoundUp(std::max<int64_t>(frame_bytes, 1), kPage)),
      slab_bytes_(std::max(kLeastSlab, RoundUp(frame_bytes_, kHugePage))) {}

FramePool::~FramePool() {
  for (const auto& [base, free] : slabs_) munmap(base, static_cast<size_t>(slab_bytes_));
}

void FramePool::AddSlab() {
  std::byte* base = MapSlab(slab_bytes_);
  std::vector<std::byte*>& free = slabs_[base];
  for (int64_t i = slab_bytes_ / frame_bytes_ - 1; i >= 0; --i) free.push_back(base + i * frame_bytes_);
  open_.insert(base);
}

// From the lowest slab, so that the highest become empty.
std::byte* FramePool::Take() {
  if (open_.empty()) AddSlab();
  std::vector<std::byte*>& free = slabs_[*open_.begin()];
  std::byte* frame = free.back();
  free.pop_back();
  if (free.empty()) open_.erase(open_.begin());
  return frame;
}

void FramePool::Give(std::byte* frame) {
  const auto slab = std::prev(slabs_.upper_bound(frame));
  assert(frame < slab->first + slab_bytes_);
  slab->second.push_back(frame);
  open_.insert(slab->first);
  const bool empty = static_cast<int64_t>(slab->second.size()) == slab_bytes_ / frame_bytes_;
  if (!empty || open_.size() == 1) return;
  munmap(slab->first, static_cast<size_t>(slab_bytes_));
  open_.erase(slab->first);
  slabs_.erase(slab);
}

}  // namespace ltri
