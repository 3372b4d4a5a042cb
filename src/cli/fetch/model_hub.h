// Models of a model hub: "owner/name", "owner/name:Q4_K_M" or "owner/name/file.gguf".
#ifndef LTRI_CLI_FETCH_MODEL_HUB_H_
#define LTRI_CLI_FETCH_MODEL_HUB_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/fetch/download.h"
#include "ltri/result.h"

namespace ltri {

struct HubName {
  std::string repository;  // "owner/name"
  std::string tag;         // a part of the file's name, usually its quantisation; may be empty
  std::string file;        // a path in the repository; may be empty
};

// Nothing when the name has not the form of a hub's.
std::optional<HubName> ParseHubName(const std::string& name);

// Asks the hub which file that is. The request lacks only `path`. A token in HF_TOKEN is sent along. Errors: kNotFound
// (lists the GGUF files there are), kUnsupported (a model split into several files), kIo.
Result<DownloadRequest> FindOnHub(const HubName& name);

// The file to take among those of a repository, by tag or file name; without either, a 4-bit or 8-bit one is preferred.
// Empty when none fits.
std::string ChooseModelFile(const std::vector<std::string>& files, const HubName& name);

}  // namespace ltri

#endif  // LTRI_CLI_FETCH_MODEL_HUB_H_
