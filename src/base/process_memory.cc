#include "base/process_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace ltri {
namespace {

// The number of KiB behind `name` in a file of /proc; -1 when it is not there.
int64_t KibOf(const char* path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::strtoll(line.c_str() + name.size(), nullptr, 10);
  }
  return -1;
}

}  // namespace

int64_t MemoryInUse() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0;
  int64_t resident = 0;
  if (!(file >> total >> resident)) return 0;
  return resident * sysconf(_SC_PAGESIZE);
}

int64_t PeakMemory() {
  // getrusage would also count the program that started this one.
  if (const int64_t kib = KibOf("/proc/self/status", "VmHWM:"); kib >= 0) return kib * 1024;
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;  // both are given in KiB
}

void ResetPeakMemory() {
  std::ofstream file("/proc/self/clear_refs");
  file << 5;
}

int64_t AvailableMemory() {
  const int64_t kib = KibOf("/proc/meminfo", "MemAvailable:");
  return kib < 0 ? 0 : kib * 1024;
}

void ReturnFreedMemory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

int64_t MemoryBudget(int64_t wanted) {
  constexpr int64_t kLeast = int64_t{64} << 20;
  return wanted > 0 ? wanted : std::max(kLeast, AvailableMemory() / 2);
}

}  // namespace ltri
