// DocumentRecord: what is known of a document besides its blocks, its session and its spans.
#ifndef LTRI_LIBRARY_DOCUMENT_RECORD_H_
#define LTRI_LIBRARY_DOCUMENT_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ltri/result.h"

namespace ltri {

// How a document was read.
struct ReadingSettings {
  std::string method;
  int64_t sinks = 0;
  int64_t window = 0;
  int64_t budget = 0;
  int64_t block = 0;
  bool plain = false;  // without the model's chat template
  bool operator==(const ReadingSettings&) const = default;
};

// A file that a document was read from.
struct Source {
  std::string path;
  int64_t skipped = 0;     // bytes of a byte order mark at its start
  int64_t bytes = 0;       // behind that, read so far
  uint64_t checksum = 0;   // of these
  int64_t text_begin = 0;  // where they begin in the document's text
  bool operator==(const Source&) const = default;
};

// Where the text of tokens [token_begin, token_end), bytes [byte_begin, byte_end) of the document, is stored.
struct TextPiece {
  int64_t token_begin = 0;
  int64_t token_end = 0;
  int64_t byte_begin = 0;
  int64_t byte_end = 0;
  int64_t address = 0;
  int64_t block_bytes = 0;
  bool operator==(const TextPiece&) const = default;
};

struct DocumentRecord {
  std::string name;
  uint64_t id = 0;  // also its folder
  uint64_t fingerprint = 0;
  std::string model_path;
  ReadingSettings settings;
  int64_t created = 0;  // seconds since 1970
  int64_t updated = 0;
  int64_t generation = 0;  // of the last commit, from 1
  int64_t tokens = 0;
  int64_t text_bytes = 0;
  bool finished = false;
  std::vector<Source> sources;
  std::vector<int64_t> segments;  // committed bytes of each file
  std::vector<TextPiece> texts;
  bool operator==(const DocumentRecord&) const = default;

  int64_t stored_bytes() const;  // of all segments
};

// As it lies in a state file, whose header has the id and the generation.
std::vector<std::byte> EncodeRecord(const DocumentRecord& record);
// Error kCorrupt when the bytes are no record, or one that contradicts itself; `path` is named.
Result<DocumentRecord> DecodeRecord(const std::string& path, std::span<const std::byte> bytes);
// What no record may say: negative sizes, a text with gaps, a name that is none. From files and catalogues alike.
Status CheckRecord(const std::string& path, const DocumentRecord& record);

}  // namespace ltri

#endif  // LTRI_LIBRARY_DOCUMENT_RECORD_H_
