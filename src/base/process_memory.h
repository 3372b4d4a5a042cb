// The memory of this process, as the system counts it.
#ifndef LTRI_BASE_PROCESS_MEMORY_H_
#define LTRI_BASE_PROCESS_MEMORY_H_

#include <cstdint>

namespace ltri {

int64_t MemoryInUse();      // bytes of this process in RAM now; 0 when unknown
int64_t PeakMemory();       // bytes, the most since the start or the last reset
void ResetPeakMemory();     // where the system can; else PeakMemory keeps counting from the start
int64_t AvailableMemory();  // bytes that could still be had without swapping; 0 when unknown

// What a person asked for; 0: half of what is available, but 64 MiB at least.
int64_t MemoryBudget(int64_t wanted);

// Gives freed memory back to the system, so that what is in use is what is needed.
void ReturnFreedMemory();

}  // namespace ltri

#endif  // LTRI_BASE_PROCESS_MEMORY_H_
