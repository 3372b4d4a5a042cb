// Catalogue: the documents of a library and what of them is committed. The format is docs/format_catalogue.md.
//
// A commit is durable when it returns; readers see the last one. One writer at a time (see library_lock.h).
// Thread safety: one caller at a time.
#ifndef LTRI_LIBRARY_CATALOGUE_H_
#define LTRI_LIBRARY_CATALOGUE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "library/database.h"
#include "library/document_record.h"

namespace ltri {

// A span of one layer, in tokens and in bytes of the document's text.
struct SpanRow {
  int64_t layer = 0;
  int64_t token_begin = 0;
  int64_t token_end = 0;
  int64_t byte_begin = 0;
  int64_t byte_end = 0;
  double score = 0;
  double confidence = 0;
};

class Catalogue {
 public:
  // Errors: kNotFound, kCorrupt (no catalogue, or another schema), kUnsupported (another version), kIo.
  static Result<Catalogue> Open(FileSystem& files, const std::string& path, Access access);
  // For writing; made when it is missing or empty.
  static Result<Catalogue> Make(FileSystem& files, const std::string& path);

  Result<std::vector<std::string>> Names();  // sorted
  // Error kNotFound names what there is.
  Result<DocumentRecord> Find(const std::string& name);
  Result<std::vector<DocumentRecord>> All();

  // Makes `record` what counts for the document of its name, which may be new, and adds `spans`. When the record has
  // another id than before, the document's spans are replaced.
  Status Commit(const DocumentRecord& record, std::span<const SpanRow> spans);
  Status Remove(const std::string& name);
  // Forgets the spans that reach beyond the first `tokens` tokens.
  Status DropSpansBehind(const std::string& name, int64_t tokens);

  Result<std::vector<SpanRow>> Spans(const std::string& name);
  struct LayerEnd {
    int64_t layer = 0;
    int64_t spans = 0;
    int64_t token_end = 0;
  };
  // How many spans each layer has, and where the last one ends. [layers that have any]
  Result<std::vector<LayerEnd>> SpanEnds(const std::string& name);

  // Looks at every page. Error kCorrupt.
  Status Check();
  // Gives the room of removed rows back and empties the log.
  Status Compact();

 private:
  explicit Catalogue(Database database) : database_(std::move(database)) {}

  Status CheckSchema(bool may_make);
  Result<int64_t> RowOf(const std::string& name);
  Result<DocumentRecord> Read(const std::string& name);
  Status ReadLists(int64_t row, DocumentRecord& record);
  Result<int64_t> WriteDocument(const DocumentRecord& record);
  Status WriteLists(int64_t row, const DocumentRecord& record);
  Status WriteSpans(int64_t row, std::span<const SpanRow> spans);
  Error NotFound(const std::string& name);

  Database database_;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_CATALOGUE_H_
