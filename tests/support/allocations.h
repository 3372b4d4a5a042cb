// How often a test program has asked for memory.
#ifndef LTRI_TESTS_SUPPORT_ALLOCATIONS_H_
#define LTRI_TESTS_SUPPORT_ALLOCATIONS_H_

#include <cstdint>

namespace ltri::testing {

// Whether allocations are counted: not under a sanitizer, which needs operator new for itself.
bool CountsAllocations();

// Calls of operator new since the program started, in all threads.
int64_t Allocations();

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_ALLOCATIONS_H_
