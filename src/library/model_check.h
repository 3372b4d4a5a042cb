// CheckModel: a document may only be read on, or asked, with the model that read it.
#ifndef LTRI_LIBRARY_MODEL_CHECK_H_
#define LTRI_LIBRARY_MODEL_CHECK_H_

#include <fmt/format.h>

#include <string>

#include "library/document_record.h"
#include "library/format.h"
#include "ltri/result.h"

namespace ltri {

// Error kInvalidArgument with both fingerprints.
inline Status CheckModel(const DocumentRecord& record, uint64_t fingerprint, const std::string& model_path) {
  if (record.fingerprint == fingerprint) return {};
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format("document '{}' was read with another model: {} ({}), but {} is {}; name that one with --model, "
                  "or index the document anew",
                  record.name, IdText(record.fingerprint), record.model_path, model_path, IdText(fingerprint))};
}

}  // namespace ltri

#endif  // LTRI_LIBRARY_MODEL_CHECK_H_
