// StoredDocument: a committed document, open for reading. Later commits do not change what it sees.
//
// Thread safety: immutable after Open.
#ifndef LTRI_LIBRARY_STORED_DOCUMENT_H_
#define LTRI_LIBRARY_STORED_DOCUMENT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "library/document_blocks.h"
#include "library/document_record.h"
#include "library/store.h"

namespace ltri {

class StoredDocument {
 public:
  static Result<StoredDocument> Open(Store& store, const std::string& name);

  const DocumentRecord& record() const { return record_; }
  const std::vector<std::byte>& session() const { return session_; }
  std::shared_ptr<DocumentBlocks> blocks() const { return blocks_; }

  // The text of tokens [token_begin, token_end) and where it begins; tokens that have none are left out.
  struct Passage {
    int64_t byte_begin = 0;
    std::string text;
  };
  Result<Passage> Text(int64_t token_begin, int64_t token_end) const;
  // Bytes [begin, end) of the document's text, as far as it goes.
  Result<std::string> Bytes(int64_t begin, int64_t end) const;

 private:
  StoredDocument(DocumentRecord record, std::vector<std::byte> session, std::shared_ptr<DocumentBlocks> blocks)
      : record_(std::move(record)), session_(std::move(session)), blocks_(std::move(blocks)) {}

  Status AddText(const TextPiece& piece, int64_t token_begin, int64_t token_end, Passage& passage) const;

  DocumentRecord record_;
  std::vector<std::byte> session_;
  std::shared_ptr<DocumentBlocks> blocks_;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_STORED_DOCUMENT_H_
