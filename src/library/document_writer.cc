#include "library/document_writer.h"

#include <ctime>
#include <utility>

#include "library/format.h"
#include "library/state_file.h"
#include "library/text_block.h"

namespace ltri {

Result<std::unique_ptr<DocumentWriter>> DocumentWriter::Create(Store& store, DocumentRecord record,
                                                               int64_t roll_bytes) {
  if (Status status = CheckDocumentName(record.name); !status.ok()) return status.error();
  record.id = RandomId();
  if (record.created == 0) record.created = std::time(nullptr);
  std::unique_ptr<DocumentWriter> writer(new DocumentWriter(store, std::move(record)));
  const std::string folder = store.FolderOf(writer->record_.id);
  if (Status status = store.files().MakeFolder(folder); !status.ok()) return status.error();
  Result<std::shared_ptr<DocumentBlocks>> blocks =
      DocumentBlocks::Open(store.files(), folder, writer->record_.id, {}, OpenFor::kAppending, roll_bytes);
  if (!blocks.ok()) return blocks.error();
  writer->blocks_ = std::move(*blocks);
  return writer;
}

Result<std::unique_ptr<DocumentWriter>> DocumentWriter::Resume(Store& store, const std::string& name,
                                                               int64_t roll_bytes) {
  Result<DocumentRecord> record = store.catalogue().Find(name);
  if (!record.ok()) return record.error();
  std::unique_ptr<DocumentWriter> writer(new DocumentWriter(store, std::move(*record)));
  const DocumentRecord& known = writer->record_;
  const std::string folder = store.FolderOf(known.id);
  Result<DocumentState> state = ReadState(store.files(), folder, known.id, known.generation);
  if (!state.ok()) return state.error();
  writer->session_ = std::move(state->session);
  Result<std::shared_ptr<DocumentBlocks>> blocks =
      DocumentBlocks::Open(store.files(), folder, known.id, known.segments, OpenFor::kAppending, roll_bytes);
  if (!blocks.ok()) return blocks.error();
  writer->blocks_ = std::move(*blocks);
  return writer;
}

Status DocumentWriter::Commit(const DocumentStep& step) {
  if (failed_.ok()) failed_ = TryCommit(step);
  return failed_;
}

Status DocumentWriter::AppendTexts(const DocumentStep& step, DocumentRecord& next) {
  int64_t begin = step.tokens;
  for (const TextBlock& text : step.texts) begin -= static_cast<int64_t>(text.token_bytes.size());
  for (const TextBlock& text : step.texts) {
    const std::vector<std::byte> block = EncodeTextBlock(text);
    const Result<int64_t> address = blocks_->Append(block);
    if (!address.ok()) return address.error();
    const int64_t end = begin + static_cast<int64_t>(text.token_bytes.size());
    const int64_t text_end = next.text_bytes + static_cast<int64_t>(text.text.size());
    next.texts.push_back({begin, end, next.text_bytes, text_end, *address, static_cast<int64_t>(block.size())});
    next.text_bytes = text_end;
    begin = end;
  }
  return {};
}

Status DocumentWriter::TryCommit(const DocumentStep& step) {
  DocumentRecord next = record_;
  if (Status status = AppendTexts(step, next); !status.ok()) return status;
  if (Status status = blocks_->Sync(); !status.ok()) return status;
  next.segments = blocks_->lengths();
  next.tokens = step.tokens;
  next.sources = step.sources;
  next.finished = step.finished;
  next.updated = std::time(nullptr);
  ++next.generation;
  const std::string folder = store_.FolderOf(next.id);
  if (Status status = WriteState(store_.files(), folder, next, step.session); !status.ok()) return status;
  if (Status status = store_.catalogue().Commit(next, step.spans); !status.ok()) return status;
  record_ = std::move(next);
  if (record_.generation <= 2) return {};
  return RemoveIfThere(store_.files(), folder + "/" + StateName(record_.generation - 2));
}

}  // namespace ltri
