// DocumentSession: a session of documents, with its keys, values and index on disk and a budget of RAM for them.
//
// The one place of the library that knows how sessions are kept. Thread safety: that of Session.
#ifndef LTRI_LIBRARY_DOCUMENT_SESSION_H_
#define LTRI_LIBRARY_DOCUMENT_SESSION_H_

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/session_impl.h"
#include "ltri/session.h"
#include "memory/block_file.h"
#include "memory/tier.h"

namespace ltri {

class DocumentSession {
 public:
  using Saved = Session::Impl::Saved;

  // An empty one whose blocks are in `tier`.
  static Result<DocumentSession> Create(const std::shared_ptr<Model>& model, const SessionOptions& options,
                                        const std::shared_ptr<Tier>& tier);
  // From what Save gave. Error kCorrupt.
  static Result<DocumentSession> Restore(const std::shared_ptr<Model>& model, const Saved& saved,
                                         const std::shared_ptr<Tier>& tier);
  // All documents as one memory, in their order; what is appended follows them. Each was saved as finished.
  static Result<DocumentSession> Join(const std::shared_ptr<Model>& model, std::span<const Saved> documents,
                                      const std::shared_ptr<Tier>& tier);

  Session& session() { return session_; }
  // What `blocks` does not hold yet is put there; both are needed to restore. finished: for Join too.
  Result<std::vector<std::byte>> Save(const std::shared_ptr<BlockFile>& blocks, bool finished) {
    return impl_->Save(blocks, finished);
  }
  // What was wanted most since the last prompt, in tokens of the session, the largest share first.
  std::vector<RecallShare> Recalled() const { return impl_->Recalled(); }
  // Where joined documents are among the tokens.
  const std::vector<TokenRange>& places() const { return impl_->texts(); }

  Session Take() && { return std::move(session_); }

 private:
  explicit DocumentSession(std::unique_ptr<Session::Impl> impl) : impl_(impl.get()), session_(std::move(impl)) {}

  Session::Impl* impl_;  // session_ owns it, wherever this object moves
  Session session_;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_DOCUMENT_SESSION_H_
