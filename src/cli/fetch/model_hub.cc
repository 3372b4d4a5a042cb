#include "cli/fetch/model_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "weights/hub_endpoint.h"

namespace ltri {
namespace {

struct HubFile {
  int64_t size = 0;
  std::string sha256;
};

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool IsNameChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.'; }

// Keeps slashes: the path of a URL.
std::string UrlPath(const std::string& path) {
  std::string encoded;
  for (const char c : path) {
    encoded += IsNameChar(c) || c == '/' ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

Result<std::map<std::string, HubFile>> ParseListing(const std::string& text, const std::string& repository) {
  std::map<std::string, HubFile> files;
  const nlohmann::json listing = nlohmann::json::parse(text, nullptr, false);
  if (!listing.is_array()) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("the model hub's list of the files of {} cannot be read", repository)};
  }
  for (const auto& item : listing) {
    if (!item.is_object() || !item.contains("path") || !item["path"].is_string()) continue;
    HubFile file;
    if (item.contains("size") && item["size"].is_number_integer()) file.size = item["size"].get<int64_t>();
    if (item.contains("lfs") && item["lfs"].is_object() && item["lfs"].contains("oid") &&
        item["lfs"]["oid"].is_string()) {
      file.sha256 = Lower(item["lfs"]["oid"].get<std::string>());
    }
    const auto path = item["path"].get<std::string>();
    if (path.ends_with(".gguf")) files[path] = file;
  }
  return files;
}

}  // namespace

std::optional<HubName> ParseHubName(const std::string& name) {
  HubName hub;
  const size_t owner = name.find('/');
  if (owner == std::string::npos || owner == 0) return std::nullopt;
  const size_t file = name.find('/', owner + 1);
  std::string repository = name.substr(0, file);
  if (file != std::string::npos) {
    hub.file = name.substr(file + 1);
    if (!hub.file.ends_with(".gguf")) return std::nullopt;
  } else if (const size_t colon = repository.find(':'); colon != std::string::npos) {
    hub.tag = repository.substr(colon + 1);
    repository.resize(colon);
    if (hub.tag.empty()) return std::nullopt;
  }
  const auto valid = [](char c) { return IsNameChar(c) || c == '/'; };
  const bool plain = std::all_of(repository.begin(), repository.end(), valid) && repository.back() != '/';
  if (!plain || name.find("..") != std::string::npos || name.front() == '.') return std::nullopt;
  hub.repository = repository;
  return hub;
}

std::string ChooseModelFile(const std::vector<std::string>& files, const HubName& name) {
  if (!name.file.empty()) return std::find(files.begin(), files.end(), name.file) == files.end() ? "" : name.file;
  const auto holding = [&](const std::string& part) {
    const auto found = std::find_if(files.begin(), files.end(), [&](const std::string& file) {
      const std::string lower = Lower(file);
      return lower.find(Lower(part)) != std::string::npos && lower.find("mmproj") == std::string::npos;
    });
    return found == files.end() ? std::string() : *found;
  };
  if (!name.tag.empty()) return holding(name.tag);
  for (const char* wanted : {"Q4_K_M", "Q4_0", "Q4_1", "Q8_0", ".gguf"}) {
    if (std::string file = holding(wanted); !file.empty()) return file;
  }
  return "";
}

Result<DownloadRequest> FindOnHub(const HubName& name) {
  DownloadRequest request;
  if (const char* token = std::getenv("HF_TOKEN"); token != nullptr && *token != '\0') {
    request.headers.push_back(fmt::format("Authorization: Bearer {}", token));
  }
  const std::string endpoint = HubEndpoint();
  const auto listing =
      DownloadText(endpoint + "api/models/" + name.repository + "/tree/main?recursive=true", request.headers);
  if (!listing.ok()) {
    return Error{listing.error().code,
                 fmt::format("cannot look up {} on the model hub: {}", name.repository, listing.error().message)};
  }
  const auto files = ParseListing(*listing, name.repository);
  if (!files.ok()) return files.error();
  std::vector<std::string> paths;
  std::string all;
  for (const auto& [path, file] : *files) {
    paths.push_back(path);
    all += (all.empty() ? "" : ", ") + path;
  }
  const std::string chosen = ChooseModelFile(paths, name);
  if (chosen.empty()) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("{} has no GGUF file {}; it has: {}", name.repository,
                             name.file.empty() ? name.tag : name.file, all.empty() ? "none" : all)};
  }
  if (chosen.find("-of-") != std::string::npos) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("{} is one part of a model split into several files; choose a model in one file, or join the "
                    "parts with llama-gguf-split --merge",
                    chosen)};
  }
  const HubFile& file = files->at(chosen);
  request.url = endpoint + name.repository + "/resolve/main/" + UrlPath(chosen);
  request.size = file.size;
  request.sha256 = file.sha256;
  return request;
}

}  // namespace ltri
