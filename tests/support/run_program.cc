#include "support/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>

namespace ltri::testing {
namespace {

constexpr int kPollMilliseconds = 20;

struct FileCloser {
  void operator()(FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, FileCloser>;

// A stream of the program: read whenever there is something, so that the program never waits for us.
class Stream {
 public:
  explicit Stream(bool terminal) {
    std::array<int, 2> ends{};
    const int made = terminal ? openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) : pipe(ends.data());
    if (made != 0) throw std::runtime_error("no pipe or terminal");
    read_ = ends[0];
    write_ = ends[1];
    fcntl(read_, F_SETFL, O_NONBLOCK);
  }
  ~Stream() {
    CloseWriter();
    close(read_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int reader() const { return read_; }
  int writer() const { return write_; }
  const std::string& text() const { return text_; }
  void CloseWriter() {
    if (write_ >= 0) close(std::exchange(write_, -1));
  }

  // Takes what is there; false at the end.
  bool Take() {
    std::array<char, 4096> buffer{};
    ssize_t count = 0;
    while ((count = read(read_, buffer.data(), buffer.size())) > 0)
      text_.append(buffer.data(), static_cast<size_t>(count));
    return count < 0 && errno == EAGAIN;
  }

 private:
  int read_ = -1;
  int write_ = -1;
  std::string text_;
};

void SetEnvironment(const ProgramSetup& setup) {
  std::vector<std::string> ours;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.starts_with("LTRI_")) ours.push_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : ours) unsetenv(name.c_str());
  for (const auto& [name, value] : setup.environment) setenv(name.c_str(), value.c_str(), 1);
}

File InputFile(const std::string& text) {
  File input(std::tmpfile());
  if (!input) throw std::runtime_error("no temporary file");
  std::fwrite(text.data(), 1, text.size(), input.get());
  std::rewind(input.get());
  return input;
}

[[noreturn]] void Become(const std::vector<std::string>& arguments, const ProgramSetup& setup, int input, int output,
                         int errors) {
  SetEnvironment(setup);
  std::vector<char*> argv = {const_cast<char*>(LTRI_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  dup2(input, STDIN_FILENO);
  dup2(setup.output_file.empty() ? output : open(setup.output_file.c_str(), O_WRONLY), STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  execv(LTRI_PROGRAM, argv.data());
  _exit(127);
}

}  // namespace

ProgramResult RunProgram(const std::vector<std::string>& arguments) { return RunProgram(arguments, {}); }

ProgramResult RunProgram(const std::vector<std::string>& arguments, const ProgramSetup& setup) {
  const File input = InputFile(setup.input);
  Stream output(/*terminal=*/false);
  Stream errors(setup.terminal);
  const pid_t child = fork();
  if (child == 0) Become(arguments, setup, fileno(input.get()), output.writer(), errors.writer());
  output.CloseWriter();
  errors.CloseWriter();

  bool interrupted = setup.interrupt_at.empty();
  bool open_output = true;
  bool open_errors = true;
  while (open_output || open_errors) {
    std::array<pollfd, 2> waits = {
        {{open_output ? output.reader() : -1, POLLIN, 0}, {open_errors ? errors.reader() : -1, POLLIN, 0}}};
    poll(waits.data(), waits.size(), kPollMilliseconds);
    if (open_output) open_output = output.Take();
    if (open_errors) open_errors = errors.Take();
    const auto has = [&](const Stream& stream) { return stream.text().find(setup.interrupt_at) != std::string::npos; };
    if (!interrupted && (has(output) || has(errors))) {
      kill(child, SIGINT);
      interrupted = true;
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output.text(), errors.text()};
}

}  // namespace ltri::testing
