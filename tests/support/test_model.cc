#include "support/test_model.h"

#include <cstdlib>

#include "weights/model_store.h"

namespace ltri {

std::string TestModel(const std::string& name) {
  const char* path = std::getenv("LTRI_TEST_MODEL");
  if (path != nullptr && name == "smollm2") return path;
  const auto resolved = ResolveModel(name);
  return resolved.ok() ? *resolved : std::string();
}

}  // namespace ltri
