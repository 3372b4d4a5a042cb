// State files: a document's record and its session, as of one commit. The format is docs/format_segment.md.
#ifndef LTRI_LIBRARY_STATE_FILE_H_
#define LTRI_LIBRARY_STATE_FILE_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "library/document_record.h"

namespace ltri {

struct DocumentState {
  DocumentRecord record;
  std::vector<std::byte> session;
};

// Writes the state of record.generation into `folder` and brings it, and its name, to the disk.
Status WriteState(FileSystem& files, const std::string& folder, const DocumentRecord& record,
                  std::span<const std::byte> session);

// Errors: kNotFound, kIo, kCorrupt (also when it is the state of another document or generation), kUnsupported.
Result<DocumentState> ReadState(FileSystem& files, const std::string& folder, uint64_t document, int64_t generation);

// The same from bytes; `path` is for messages.
Result<DocumentState> DecodeState(const std::string& path, std::span<const std::byte> bytes);

}  // namespace ltri

#endif  // LTRI_LIBRARY_STATE_FILE_H_
