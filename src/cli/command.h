// What all commands share: how they end, how Ctrl-C reaches them, and what their options look like.
#ifndef LTRI_CLI_COMMAND_H_
#define LTRI_CLI_COMMAND_H_

#include <string>

#include "ltri/result.h"

namespace CLI {
class App;
}

namespace ltri {

constexpr int kInterruptedCode = 130;  // 128 + SIGINT, as shells report it

// Prints "ltri: message" on standard error and throws CLI::RuntimeError: 130 for kCancelled, else 1.
[[noreturn]] void Fail(const Error& error);

// Writes `text` to standard output at once. Error kIo when it cannot be written (a full disk, ...).
Status Print(const std::string& text);

// The file gets `text`, and nothing else. Error kIo names it.
Status SaveText(const std::string& path, const std::string& text);

// While alive, the first Ctrl-C only sets a flag and the second ends the program. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static bool Requested();
  // Forgets a Ctrl-C that was dealt with.
  void Rearm();
};

// The short help of `app` and the commands below it: groups, defaults, one line on environment variables.
void SetHelpStyle(CLI::App& app);

// Lets LTRI_SECOND_READING stand for --second-reading, and so on, in every command below `app`; only the options of the
// command that is run look at their variables.
void NameEnvironment(CLI::App& app);

}  // namespace ltri

#endif  // LTRI_CLI_COMMAND_H_
