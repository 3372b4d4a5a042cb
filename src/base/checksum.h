// XXH3-64 checksums: they find accidents of disks and memory, not attacks.
#ifndef LTRI_BASE_CHECKSUM_H_
#define LTRI_BASE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace ltri {

uint64_t Checksum(std::span<const std::byte> bytes, uint64_t seed = 0);

// Of two pieces; not that of the pieces put together.
inline uint64_t Checksum(std::span<const std::byte> first, std::span<const std::byte> second) {
  return Checksum(second, Checksum(first));
}

// The checksum of what is added piece by piece: the same as that of all of it in one.
class RunningChecksum {
 public:
  RunningChecksum();
  ~RunningChecksum();
  RunningChecksum(RunningChecksum&&) noexcept;
  RunningChecksum& operator=(RunningChecksum&&) noexcept;

  void Add(std::span<const std::byte> bytes);
  uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ltri

#endif  // LTRI_BASE_CHECKSUM_H_
