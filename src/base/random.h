// Random: reproducible numbers, the same on every platform (the standard's distributions are not).
#ifndef LTRI_BASE_RANDOM_H_
#define LTRI_BASE_RANDOM_H_

#include <cstdint>
#include <random>

namespace ltri {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  // Uniform in [0, bound), bound > 0.
  int64_t Below(int64_t bound) {
    const auto limit = static_cast<uint64_t>(bound);
    const uint64_t rest = UINT64_MAX - UINT64_MAX % limit;  // the last, incomplete run of values is drawn again
    uint64_t value = engine_();
    while (value >= rest) value = engine_();
    return static_cast<int64_t>(value % limit);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace ltri

#endif  // LTRI_BASE_RANDOM_H_
