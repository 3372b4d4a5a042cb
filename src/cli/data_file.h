// Files that ship with the program: texts for demonstrations and head profiles.
#ifndef LTRI_CLI_DATA_FILE_H_
#define LTRI_CLI_DATA_FILE_H_

#include <string>

#include "ltri/result.h"

namespace ltri {

// The path of `name`, the first that exists of: $LTRI_DATA/NAME; share/ltri/NAME of the prefix that the program is
// installed in; data/NAME in the folder of the program or one above it, for a program in its build tree. Error
// kNotFound.
Result<std::string> FindDataFile(const std::string& name);

}  // namespace ltri

#endif  // LTRI_CLI_DATA_FILE_H_
