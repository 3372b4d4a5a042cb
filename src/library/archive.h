// Archive: one document as one file. The format is docs/format_segment.md.
#ifndef LTRI_LIBRARY_ARCHIVE_H_
#define LTRI_LIBRARY_ARCHIVE_H_

#include <string>

#include "library/store.h"

namespace ltri {

// Writes the document as it is committed now. Errors: kNotFound, kCorrupt, kIo (also when `path` exists).
Status ExportDocument(Store& store, const std::string& name, const std::string& path);

// Adds the document in the file under `name`, or its own when that is empty; returns the name. Everything is checked
// before the catalogue knows of it. Errors: kCorrupt, kUnsupported, kIo, kInvalidArgument (the document, or its name,
// is there already).
Result<std::string> ImportDocument(Store& store, const std::string& path, const std::string& name);

}  // namespace ltri

#endif  // LTRI_LIBRARY_ARCHIVE_H_
