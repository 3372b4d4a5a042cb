#include "cli/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

namespace ltri {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void OnInterrupt(int /*signal*/) { interrupted = 1; }

void Arm() {
  interrupted = 0;
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the next one finds the default again, which ends the program
  sigaction(SIGINT, &action, nullptr);
}

// The library's form also lists variables and validators behind each option, which makes lines too long to read.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (option->get_type_size() != 0) {
      text += " " + option->get_type_name();
      const std::string standard = option->get_default_str();
      if (!standard.empty() && standard != "[]" && standard != "\"\"") text += "=" + standard;
    }
    return text;
  }

  // One empty line between groups, not two.
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    for (size_t at = 0; (at = text.find("\n\n\n", at)) != std::string::npos;) text.erase(at, 1);
    return text;
  }
};

void StyleAll(CLI::App& app, const std::shared_ptr<HelpFormatter>& formatter) {
  app.formatter(formatter);
  if (app.get_help_ptr() != nullptr) app.get_help_ptr()->group("Help");
  for (CLI::App* command : app.get_subcommands({})) StyleAll(*command, formatter);
}

std::string VariableOf(const std::string& option) {
  std::string name = "LTRI_";
  for (const char c : option) name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

void NameVariables(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    const bool is_help = option == command.get_help_ptr() || option == command.get_version_ptr();
    if (!is_help && !option->get_lnames().empty()) option->envname(VariableOf(option->get_lnames().front()));
  }
}

}  // namespace

void Fail(const Error& error) {
  fmt::print(stderr, "ltri: {}\n", error.message);
  throw CLI::RuntimeError(error.code == ErrorCode::kCancelled ? kInterruptedCode : 1);
}

Status Print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return {};
  return Error{ErrorCode::kIo, fmt::format("cannot write to standard output: {}", std::strerror(errno))};
}

Status SaveText(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return {};
  return Error{ErrorCode::kIo, fmt::format("{}: cannot write it: {}", path, std::strerror(errno))};
}

Interrupt::Interrupt() { Arm(); }
Interrupt::~Interrupt() { std::signal(SIGINT, SIG_DFL); }
bool Interrupt::Requested() { return interrupted != 0; }
void Interrupt::Rearm() { Arm(); }

void SetHelpStyle(CLI::App& app) {
  auto formatter = std::make_shared<HelpFormatter>();
  formatter->column_width(40);
  StyleAll(app, formatter);
}

void NameEnvironment(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({})) {
    command->preparse_callback([command](size_t) { NameVariables(*command); });
    if (!command->get_options().empty()) {
      command->footer("\nEach option is also an environment variable: --max-tokens would be LTRI_MAX_TOKENS.");
    }
    NameEnvironment(*command);
  }
}

}  // namespace ltri
