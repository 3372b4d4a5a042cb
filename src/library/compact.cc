#include "library/compact.h"

#include "library/document_session.h"
#include "library/document_writer.h"
#include "library/fingerprint.h"
#include "library/model_check.h"
#include "library/stored_document.h"
#include "library/text_block.h"

namespace ltri {

Result<int64_t> CompactDocument(Store& store, const std::shared_ptr<Model>& model, const std::string& name,
                                int64_t memory) {
  const Result<StoredDocument> old = StoredDocument::Open(store, name);
  if (!old.ok()) return old.error();
  const DocumentRecord& record = old->record();
  const Result<uint64_t> fingerprint = ModelFingerprint(model->info().path);
  if (!fingerprint.ok()) return fingerprint.error();
  if (Status status = CheckModel(record, *fingerprint, model->info().path); !status.ok()) return status.error();
  Result<DocumentSession> session =
      DocumentSession::Restore(model, {old->session(), old->blocks()}, Tier::Create(memory));
  if (!session.ok()) return session.error();

  DocumentRecord seed;
  seed.name = record.name;
  seed.fingerprint = record.fingerprint;
  seed.model_path = record.model_path;
  seed.settings = record.settings;
  seed.created = record.created;
  const Result<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Create(store, std::move(seed));
  if (!writer.ok()) return writer.error();
  const Result<std::vector<std::byte>> state = session->Save((*writer)->blocks(), record.finished);
  if (!state.ok()) return state.error();
  std::vector<TextBlock> texts;
  for (const TextPiece& piece : record.texts) {
    Result<TextBlock> text = ReadTextBlock(*old->blocks(), piece, record.stored_bytes());
    if (!text.ok()) return text.error();
    texts.push_back(std::move(*text));
  }
  const Result<std::vector<SpanRow>> spans = store.catalogue().Spans(name);
  if (!spans.ok()) return spans.error();
  DocumentStep step;
  step.session = *state;
  step.tokens = record.tokens;
  step.texts = texts;
  step.sources = record.sources;
  step.spans = *spans;
  step.finished = record.finished;
  if (Status status = (*writer)->Commit(step); !status.ok()) return status.error();
  if (Status status = store.files().RemoveFolder(store.FolderOf(record.id)); !status.ok()) return status.error();
  if (Status status = store.catalogue().Compact(); !status.ok()) return status.error();
  return record.stored_bytes() - (*writer)->record().stored_bytes();
}

}  // namespace ltri
