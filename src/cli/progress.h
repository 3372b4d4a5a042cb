// ProgressLine: one line on standard error that is written over again: how far, how fast, how long still, how much
// memory. Silent when standard error is no terminal. Not thread-safe.
#ifndef LTRI_CLI_PROGRESS_H_
#define LTRI_CLI_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "ltri/options.h"

namespace ltri {

class ProgressLine {
 public:
  // unit: what is counted, "tokens".
  explicit ProgressLine(std::string unit = "tokens");
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Draws at most ten times a second.
  void Show(const std::string& label, const Progress& progress);
  // The same for a line of the caller's own.
  void Show(const std::function<std::string()>& line);
  void Clear();

  // A callback that shows progress under `label` and asks to stop after Ctrl-C. Must not outlive this object.
  ProgressCallback Callback(const std::string& label);

 private:
  std::string unit_;
  bool watched_ = false;
  bool drawn_ = false;
  double last_ = -1;  // seconds on the steady clock
};

// "0:07", "1:02:03".
std::string TimeText(int64_t seconds);

// The text of the line, without its memory.
std::string ProgressText(const std::string& label, const std::string& unit, const Progress& progress);

}  // namespace ltri

#endif  // LTRI_CLI_PROGRESS_H_
