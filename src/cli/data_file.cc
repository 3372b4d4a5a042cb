#include "cli/data_file.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

namespace ltri {
namespace {

namespace fs = std::filesystem;

constexpr int kMostFoldersUp = 4;

}  // namespace

Result<std::string> FindDataFile(const std::string& name) {
  std::vector<fs::path> folders;
  if (const char* data = std::getenv("LTRI_DATA"); data != nullptr && *data != '\0') folders.emplace_back(data);
  std::error_code error;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", error); !error) {
    fs::path folder = program.parent_path();
    folders.push_back(folder.parent_path() / "share" / "ltri");
    for (int up = 0; up < kMostFoldersUp; ++up, folder = folder.parent_path()) folders.push_back(folder / "data");
  }
  for (const fs::path& folder : folders) {
    if (fs::is_regular_file(folder / name, error)) return (folder / name).string();
  }
  return Error{ErrorCode::kNotFound,
               fmt::format("the text '{}' that ships with ltri is not there: name its folder in LTRI_DATA, or another "
                           "text with --text",
                           name)};
}

}  // namespace ltri
