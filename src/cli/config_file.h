// A file with options of a command: a line `port=8080` for each, comments after #.
#ifndef LTRI_CLI_CONFIG_FILE_H_
#define LTRI_CLI_CONFIG_FILE_H_

#include <string>

#include "ltri/result.h"

namespace CLI {
class App;
}

namespace ltri {

// Sets those options of `command` that neither the command line nor the environment has set. After parsing. An empty
// path: nothing to do. Errors: kNotFound; kInvalidArgument for a name that is no option. A value that does not fit is
// wrong usage, as on the command line.
Status ApplyConfigFile(CLI::App& command, const std::string& path);

}  // namespace ltri

#endif  // LTRI_CLI_CONFIG_FILE_H_
