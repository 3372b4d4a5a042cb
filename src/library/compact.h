// CompactDocument: writes a document anew with what its last commit needs and nothing else.
#ifndef LTRI_LIBRARY_COMPACT_H_
#define LTRI_LIBRARY_COMPACT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "library/store.h"
#include "ltri/model.h"

namespace ltri {

// Needs room for the new copy beside the old one. memory: bytes of RAM for blocks. Returns the bytes that became free.
// Errors: kNotFound, kCorrupt, kInvalidArgument (another model), kIo; the document is then as it was.
Result<int64_t> CompactDocument(Store& store, const std::shared_ptr<Model>& model, const std::string& name,
                                int64_t memory);

}  // namespace ltri

#endif  // LTRI_LIBRARY_COMPACT_H_
