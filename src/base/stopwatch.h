// Stopwatch: seconds since it was made.
#ifndef LTRI_BASE_STOPWATCH_H_
#define LTRI_BASE_STOPWATCH_H_

#include <chrono>

namespace ltri {

class Stopwatch {
 public:
  double Seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace ltri

#endif  // LTRI_BASE_STOPWATCH_H_
