// DocumentWriter: adds to one document, commit by commit. What a commit is: docs/format_segment.md.
//
// It knows nothing of models: a session is bytes. Once anything has failed, every commit fails; open it again.
// Thread safety: one caller at a time; the blocks have rules of their own.
#ifndef LTRI_LIBRARY_DOCUMENT_WRITER_H_
#define LTRI_LIBRARY_DOCUMENT_WRITER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "library/document_blocks.h"
#include "library/document_record.h"
#include "library/store.h"
#include "library/text_block.h"

namespace ltri {

// What is new since the last commit, and the session as it is now.
struct DocumentStep {
  std::span<const std::byte> session;  // its blocks are in blocks() already
  int64_t tokens = 0;                  // of the session, all
  std::span<const TextBlock> texts;    // of the new tokens; only a document's first tokens have none
  std::vector<Source> sources;         // all
  std::span<const SpanRow> spans;      // new
  bool finished = false;
};

class DocumentWriter {
 public:
  // A new document, which exists, and takes the place of another of its name, from its first commit on. `record`: name,
  // fingerprint, model_path, settings and, unless it is now, created.
  static Result<std::unique_ptr<DocumentWriter>> Create(Store& store, DocumentRecord record,
                                                        int64_t roll_bytes = DocumentBlocks::kRollBytes);
  // Goes on behind the last commit.
  static Result<std::unique_ptr<DocumentWriter>> Resume(Store& store, const std::string& name,
                                                        int64_t roll_bytes = DocumentBlocks::kRollBytes);

  const DocumentRecord& record() const { return record_; }
  // The session at the last commit, once.
  std::vector<std::byte> TakeSession() { return std::move(session_); }
  std::shared_ptr<DocumentBlocks> blocks() const { return blocks_; }

  // Durable when it returns.
  Status Commit(const DocumentStep& step);

 private:
  DocumentWriter(Store& store, DocumentRecord record) : store_(store), record_(std::move(record)) {}

  Status TryCommit(const DocumentStep& step);
  Status AppendTexts(const DocumentStep& step, DocumentRecord& next);

  Store& store_;
  DocumentRecord record_;
  std::vector<std::byte> session_;
  std::shared_ptr<DocumentBlocks> blocks_;
  Status failed_;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_DOCUMENT_WRITER_H_
