#include "library/document_session.h"

namespace ltri {

Result<DocumentSession> DocumentSession::Create(const std::shared_ptr<Model>& model, const SessionOptions& options,
                                                const std::shared_ptr<Tier>& tier) {
  // What the machine cannot hold is refused there.
  if (const Result<Session> probe = Session::Create(model, options); !probe.ok()) return probe.error();
  Result<std::unique_ptr<Session::Impl>> impl = Session::Impl::Open(model, options, tier);
  if (!impl.ok()) return impl.error();
  return DocumentSession(std::move(*impl));
}

Result<DocumentSession> DocumentSession::Restore(const std::shared_ptr<Model>& model, const Saved& saved,
                                                 const std::shared_ptr<Tier>& tier) {
  Result<std::unique_ptr<Session::Impl>> impl = Session::Impl::Restore(model, saved, tier);
  if (!impl.ok()) return impl.error();
  return DocumentSession(std::move(*impl));
}

Result<DocumentSession> DocumentSession::Join(const std::shared_ptr<Model>& model, std::span<const Saved> documents,
                                              const std::shared_ptr<Tier>& tier) {
  Result<std::unique_ptr<Session::Impl>> impl = Session::Impl::Join(model, documents, tier);
  if (!impl.ok()) return impl.error();
  return DocumentSession(std::move(*impl));
}

}  // namespace ltri
