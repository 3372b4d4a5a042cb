#include "support/test_model.h"

#include <cstdlib>

#include "weights/model_store.h"

namespace ltri {

std::string TestModel(const std::string& name) {
  const char* path = std::getenv(name == "smollm2" ? "LTRI_TEST_MODEL" : "LTRI_TEST_GEMMA");
  if (path != nullptr && (name == "smollm2" || name == "gemma3-270m")) return path;
  const auto resolved = ResolveModel(name);
  return resolved.ok() ? *resolved : std::string();
}

}  // namespace ltri
