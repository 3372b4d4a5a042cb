// Where a Python wheel lies, as the user's own pip knows it: its index, mirrors and folders are configured there.
#ifndef LTRI_CLI_FETCH_PACKAGE_INDEX_H_
#define LTRI_CLI_FETCH_PACKAGE_INDEX_H_

#include <string>
#include <string_view>

#include "ltri/result.h"

namespace ltri {

// The URL (https or file) of the wheel `file` of a package. Asks `python3 -m pip` and downloads nothing. Errors:
// kNotFound (no pip, or no such wheel; pip's own words are in the message).
Result<std::string> FindWheel(const std::string& package, const std::string& file);

// The URL of the wheel `file` in what pip says with -vv; empty when there is none.
std::string WheelUrlIn(std::string_view pip_output, const std::string& file);

}  // namespace ltri

#endif  // LTRI_CLI_FETCH_PACKAGE_INDEX_H_
