// Runs the built program as a person would.
#ifndef LTRI_TESTS_SUPPORT_RUN_PROGRAM_H_
#define LTRI_TESTS_SUPPORT_RUN_PROGRAM_H_

#include <string>
#include <vector>

namespace ltri::testing {

struct ProgramResult {
  int exit_code = -1;  // -1: ended by a signal
  std::string output;
  std::string errors;
};

// `ltri` with these arguments and an empty standard input.
ProgramResult RunProgram(const std::vector<std::string>& arguments);

}  // namespace ltri::testing

#endif  // LTRI_TESTS_SUPPORT_RUN_PROGRAM_H_
