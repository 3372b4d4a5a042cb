// Options whose value is a number of bytes.
#ifndef LTRI_CLI_SIZE_OPTION_H_
#define LTRI_CLI_SIZE_OPTION_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace ltri {

// A number of bytes with KiB, MiB, GiB or kB, MB, GB. `bytes` must live as long as `app`.
CLI::Option* AddSizeOption(CLI::App& app, const std::string& name, int64_t& bytes, const std::string& help);

}  // namespace ltri

#endif  // LTRI_CLI_SIZE_OPTION_H_
