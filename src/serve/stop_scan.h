// StopScan: finds the texts that end an answer in a stream of pieces, and holds back what may become one.
//
// Not thread-safe: one per answer.
#ifndef LTRI_SERVE_STOP_SCAN_H_
#define LTRI_SERVE_STOP_SCAN_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ltri {

class StopScan {
 public:
  explicit StopScan(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  // Takes the next piece and returns the text that may go out. Once a stop text has come, stopped() holds and nothing
  // goes out any more.
  std::string Push(std::string_view piece);

  // The end of the answer: what was held back.
  std::string Finish() { return std::exchange(held_, {}); }

  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace ltri

#endif  // LTRI_SERVE_STOP_SCAN_H_
