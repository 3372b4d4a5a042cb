#include "support/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LTRI_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LTRI_SANITIZED
#endif

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

#ifdef LTRI_SANITIZED
bool ltri::testing::CountsAllocations() { return false; }
#else
bool ltri::testing::CountsAllocations() { return true; }

// The forms for arrays and without exceptions call these two; those with an alignment are left alone.
void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size > 0 ? size : 1); memory != nullptr) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { std::free(memory); }
#endif

int64_t ltri::testing::Allocations() { return allocations.load(); }
