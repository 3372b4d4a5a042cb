#include "weights/model_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "weights/hf/hf_folder.h"

namespace ltri {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".gguf";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string WithoutExtension(const std::string& name) {
  return name.ends_with(kExtension) ? name.substr(0, name.size() - kExtension.size()) : name;
}

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string Installed() {
  std::string list;
  for (const std::string& name : InstalledModels()) list += (list.empty() ? "" : ", ") + name;
  return list.empty() ? "none" : list;
}

Error NotFound(const std::string& name_or_path, const std::string& folder) {
  const bool is_path =
      name_or_path.ends_with(kExtension) || name_or_path.starts_with("/") || name_or_path.starts_with(".");
  return {ErrorCode::kNotFound,
          fmt::format("{} '{}'. Models in {}: {}. To fetch the default model: ltri pull smollm2",
                      is_path ? "there is no file" : "there is no model", name_or_path, folder, Installed())};
}

}  // namespace

Result<std::string> ModelFolder() {
  if (const std::string folder = Environment("LTRI_MODELS"); !folder.empty()) return folder;
  if (const std::string data = Environment("XDG_DATA_HOME"); !data.empty()) return data + "/ltri/models";
  if (const std::string home = Environment("HOME"); !home.empty()) return home + "/.local/share/ltri/models";
  return Error{ErrorCode::kNotFound, "no folder for models: set LTRI_MODELS (or HOME)"};
}

Result<std::string> StoredModelPath(const std::string& name) {
  const fs::path path(WithoutExtension(name));
  const auto is_printable = [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7F; };
  const bool leaves = path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
  if (path.filename().empty() || path == "." || leaves || !std::all_of(name.begin(), name.end(), is_printable)) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' cannot be the name of a model", name)};
  }
  auto folder = ModelFolder();
  if (!folder.ok()) return folder.error();
  return *folder + "/" + path.string() + std::string(kExtension);
}

Result<std::string> ResolveModel(const std::string& name_or_path) {
  if (name_or_path.empty()) {
    return Error{ErrorCode::kInvalidArgument, "no model is named: give a path or a name with --model"};
  }
  std::error_code ignored;
  if (fs::is_regular_file(name_or_path, ignored)) return name_or_path;
  if (IsHfFolder(name_or_path)) return WithoutSlash(name_or_path);
  const auto folder = ModelFolder();
  if (!folder.ok()) return folder.error();
  const auto stored = StoredModelPath(name_or_path);
  if (stored.ok()) {
    if (fs::is_regular_file(*stored, ignored)) return *stored;
    if (const std::string as_folder = WithoutExtension(*stored); IsHfFolder(as_folder)) return as_folder;
  }
  if (fs::is_directory(name_or_path, ignored)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' is a folder without a config.json; name the .gguf file in it", name_or_path)};
  }
  return NotFound(name_or_path, *folder);
}

std::vector<std::string> InstalledModels() {
  std::vector<std::string> names;
  const auto folder = ModelFolder();
  if (!folder.ok()) return names;
  std::error_code error;
  fs::recursive_directory_iterator entry(*folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    const bool is_file = entry->path().extension() == kExtension && entry->is_regular_file(ignored);
    if (!is_file && !IsHfFolder(entry->path().string())) continue;
    names.push_back(WithoutExtension(entry->path().lexically_relative(*folder).string()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace ltri
