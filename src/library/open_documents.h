// OpenDocuments: documents of a library as one session, and what its tokens are in the files they came from.
#ifndef LTRI_LIBRARY_OPEN_DOCUMENTS_H_
#define LTRI_LIBRARY_OPEN_DOCUMENTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "library/document_session.h"
#include "library/prompt_frame.h"
#include "library/store.h"
#include "library/stored_document.h"
#include "ltri/library.h"

namespace ltri {

class OpenDocuments {
 public:
  // tier: where their blocks are in RAM. Errors: kNotFound, kCorrupt, and kInvalidArgument when they were not read
  // with this model, not in the same way, or one is named twice.
  static Result<OpenDocuments> Open(Store& store, const std::shared_ptr<Model>& model,
                                    const std::vector<std::string>& names, const std::shared_ptr<Tier>& tier);

  DocumentSession& session() { return session_; }
  const PromptFrame& frame() const { return frame_; }
  int64_t tokens() const;  // of the documents

  // Where what the session recalled since its last prompt stands, the largest share first, at most `most`.
  Result<std::vector<Citation>> Citations(int64_t most) const;

 private:
  OpenDocuments(DocumentSession session, PromptFrame frame, std::vector<StoredDocument> documents);

  Result<Citation> Cite(const StoredDocument& document, int64_t token_begin, int64_t token_end) const;

  DocumentSession session_;
  PromptFrame frame_;
  std::vector<StoredDocument> documents_;
  std::vector<TokenRange> places_;  // [documents] where each is in the session
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_OPEN_DOCUMENTS_H_
