// One file out of a zip archive (a Python wheel is one), appended to another file.
#ifndef LTRI_CLI_FETCH_UNPACK_H_
#define LTRI_CLI_FETCH_UNPACK_H_

#include <cstdint>
#include <string>

#include "cli/fetch/output_file.h"
#include "ltri/result.h"

namespace ltri {

// Errors: kCorrupt (no archive, or a damaged one), kNotFound (no such entry, or one larger than `limit` bytes), kIo.
Status AppendZipEntry(const std::string& archive, const std::string& entry, int64_t limit, OutputFile* output);

}  // namespace ltri

#endif  // LTRI_CLI_FETCH_UNPACK_H_
