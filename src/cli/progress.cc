#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/process_memory.h"
#include "cli/command.h"

namespace ltri {
namespace {

constexpr double kInterval = 0.1;  // seconds between two drawings
constexpr double kMega = 1e6;

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// A line longer than the terminal would wrap, and then could not be written over.
size_t TerminalColumns() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

ProgressLine::ProgressLine(std::string unit) : unit_(std::move(unit)), watched_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::Show(const std::string& label, const Progress& progress) {
  Show([&] {
    std::string line = ProgressText(label, unit_, progress);
    if (const int64_t memory = MemoryInUse(); memory > 0) {
      line += fmt::format("  {:.0f} MB", static_cast<double>(memory) / kMega);
    }
    return line;
  });
}

void ProgressLine::Show(const std::function<std::string()>& line) {
  if (!watched_) return;
  const double now = Now();
  if (drawn_ && now < last_ + kInterval) return;
  last_ = now;
  drawn_ = true;
  std::string text = line();
  const size_t columns = TerminalColumns();
  if (text.size() >= columns) text.resize(columns - 1);
  fmt::print(stderr, "\r\033[K{}", text);
  std::fflush(stderr);
}

void ProgressLine::Clear() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

ProgressCallback ProgressLine::Callback(const std::string& label) {
  return [this, label](const Progress& progress) {
    Show(label, progress);
    return !Interrupt::Requested();
  };
}

std::string TimeText(int64_t seconds) {
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string ProgressText(const std::string& label, const std::string& unit, const Progress& progress) {
  if (progress.done == 0 && progress.total == 0) return label;
  std::string line = label + fmt::format("  {}", progress.done);
  if (progress.total > 0) {
    line += fmt::format(" / {} {} ({}%)", progress.total, unit, 100 * progress.done / progress.total);
  } else {
    line += " " + unit;
  }
  if (progress.seconds <= 0 || progress.done <= 0) return line;
  const double rate = static_cast<double>(progress.done) / progress.seconds;
  line += rate >= 10 ? fmt::format("  {:.0f} {}/s", rate, unit) : fmt::format("  {:.2g} {}/s", rate, unit);
  if (progress.total > progress.done) {
    line += "  " + TimeText(static_cast<int64_t>(static_cast<double>(progress.total - progress.done) / rate)) + " left";
  }
  return line;
}

}  // namespace ltri
