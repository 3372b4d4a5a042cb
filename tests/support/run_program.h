// Runs the built program as a person would.
#ifndef LTRI_TESTS_SUPPORT_RUN_PROGRAM_H_
#define LTRI_TESTS_SUPPORT_RUN_PROGRAM_H_

#include <map>
#include <string>
#include <vector>

namespace ltri::testing {

struct ProgramResult {
  int exit_code = -1;  // -1: ended by a signal
  std::string output;
  std::string errors;
};

struct ProgramSetup {
  std::string input{};                               // on standard input
  std::map<std::string, std::string> environment{};  // besides what this process has, less its LTRI_ variables
  std::string output_file{};                         // standard output goes there instead; may be empty
  bool terminal = false;                             // standard error is a terminal
  std::string interrupt_at{};  // Ctrl-C as soon as this stands on standard output or error; may be empty
};

// `ltri` with these arguments and an empty standard input.
ProgramResult RunProgram(const std::vector<std::string>& arguments);
ProgramResult RunProgram(const std::vector<std::string>& arguments, const ProgramSetup& setup);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_RUN_PROGRAM_H_
