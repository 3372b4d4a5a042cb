#include "ltri/library.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/process_memory.h"
#include "library/archive.h"
#include "library/compact.h"
#include "library/format.h"
#include "library/indexer.h"
#include "library/open_documents.h"
#include "library/remove.h"
#include "library/repair.h"
#include "library/store.h"
#include "library/verify.h"

namespace ltri {
namespace {

constexpr size_t kMostLayers = 100000;  // a damaged catalogue must not make a long list

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Result<std::unique_ptr<Store>> OpenStore(const std::string& folder, Access access) {
  return Store::Open(FileSystem::Posix(), folder, access);
}

DocumentInfo InfoOf(const DocumentRecord& record) {
  DocumentInfo info;
  info.name = record.name;
  info.fingerprint = IdText(record.fingerprint);
  info.model_path = record.model_path;
  info.method = record.settings.method;
  info.sinks = record.settings.sinks;
  info.window = record.settings.window;
  info.budget = record.settings.budget;
  info.block = record.settings.block;
  info.plain = record.settings.plain;
  info.created = record.created;
  info.updated = record.updated;
  info.commits = record.generation;
  info.tokens = record.tokens;
  info.text_bytes = record.text_bytes;
  info.stored_bytes = record.stored_bytes();
  info.finished = record.finished;
  for (const Source& source : record.sources) info.sources.push_back({source.path, source.bytes});
  return info;
}

Result<DocumentInfo> ShowIn(Store& store, const std::string& name) {
  const Result<DocumentRecord> record = store.catalogue().Find(name);
  if (!record.ok()) return record.error();
  DocumentInfo info = InfoOf(*record);
  const Result<std::vector<Catalogue::LayerEnd>> ends = store.catalogue().SpanEnds(name);
  if (!ends.ok()) return ends.error();
  for (const Catalogue::LayerEnd& end : *ends) {
    const auto layer = static_cast<size_t>(end.layer);
    if (layer >= info.spans.size() && layer < kMostLayers) info.spans.resize(layer + 1);
    if (layer < info.spans.size()) info.spans[layer] = end.spans;
  }
  return info;
}

}  // namespace

Result<std::string> Library::DefaultFolder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (std::string folder = variable("LTRI_LIBRARY"); !folder.empty()) return folder;
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty()) return data + "/ltri/library";
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.local/share/ltri/library";
  return Error{ErrorCode::kNotFound, "no folder for the library: set LTRI_LIBRARY (or HOME)"};
}

Result<DocumentInfo> Library::Index(const std::shared_ptr<Model>& model, const std::string& name,
                                    const std::vector<std::string>& files, const IndexOptions& options,
                                    const ProgressCallback& progress) const {
  if (Status status = CheckDocumentName(name); !status.ok()) return status.error();
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kWrite);
  if (!store.ok()) return store.error();
  IndexOptions complete = options;
  complete.memory = MemoryBudget(options.memory);
  Indexer indexer(**store, model, complete, progress);
  if (Status status = indexer.Run(name, files); !status.ok()) return status.error();
  return ShowIn(**store, name);
}

Result<Answer> Library::Ask(const std::shared_ptr<Model>& model, const std::vector<std::string>& names,
                            const std::string& question, const AskOptions& options,
                            const TextCallback& callback) const {
  const Clock::time_point start = Clock::now();
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kRead);
  if (!store.ok()) return store.error();
  Result<OpenDocuments> documents =
      OpenDocuments::Open(**store, model, names, Tier::Create(MemoryBudget(options.memory)));
  if (!documents.ok()) return documents.error();
  const Result<std::vector<TokenId>> tokens = documents->frame().Question(*model, question);
  if (!tokens.ok()) return tokens.error();
  Answer answer;
  answer.document_tokens = documents->tokens();
  answer.question_tokens = static_cast<int64_t>(tokens->size());
  answer.open_seconds = SecondsSince(start);
  Session& session = documents->session().session();
  if (Status status = session.Append(*tokens); !status.ok()) return status.error();
  Result<Generation> generation = session.Generate(options.answer, [&](std::string_view piece) {
    if (answer.first_token_seconds == 0) answer.first_token_seconds = SecondsSince(start);
    return !callback || callback(piece);
  });
  if (!generation.ok()) return generation.error();
  answer.generation = std::move(*generation);
  answer.seconds = SecondsSince(start);
  Result<std::vector<Citation>> citations = documents->Citations(options.citations);
  if (!citations.ok()) return citations.error();
  answer.citations = std::move(*citations);
  return answer;
}

Result<Session> Library::OpenSession(const std::shared_ptr<Model>& model, const std::vector<std::string>& names,
                                     int64_t memory) const {
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kRead);
  if (!store.ok()) return store.error();
  Result<OpenDocuments> documents = OpenDocuments::Open(**store, model, names, Tier::Create(MemoryBudget(memory)));
  if (!documents.ok()) return documents.error();
  return std::move(documents->session()).Take();
}

Result<std::vector<TokenId>> Library::QuestionTokens(const Model& model, const std::string& name,
                                                     std::string_view question) const {
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kRead);
  if (!store.ok()) return store.error();
  const Result<DocumentRecord> record = (*store)->catalogue().Find(name);
  if (!record.ok()) return record.error();
  const Result<PromptFrame> frame = PromptFrame::Create(model, record->settings.plain);
  if (!frame.ok()) return frame.error();
  return frame->Question(model, question);
}

Result<std::vector<DocumentInfo>> Library::List() const {
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kRead);
  if (!store.ok()) return store.error();
  const Result<std::vector<DocumentRecord>> records = (*store)->catalogue().All();
  if (!records.ok()) return records.error();
  std::vector<DocumentInfo> infos;
  for (const DocumentRecord& record : *records) infos.push_back(InfoOf(record));
  return infos;
}

Result<DocumentInfo> Library::Show(const std::string& name) const {
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kRead);
  if (!store.ok()) return store.error();
  return ShowIn(**store, name);
}

Result<VerifyReport> Library::Verify(const std::vector<std::string>& names, const ProgressCallback& progress) const {
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kRead);
  if (!store.ok()) return store.error();
  return VerifyStore(**store, names, progress);
}

Result<RepairReport> Library::Repair(const ProgressCallback& progress) const {
  RepairReport result;
  Result<std::unique_ptr<Store>> store = RepairStore(FileSystem::Posix(), folder_, progress, &result.repaired);
  if (!store.ok()) return store.error();
  Result<VerifyReport> report = VerifyStore(**store, {}, progress);
  if (!report.ok()) return report.error();
  result.left = std::move(report->damage);
  return result;
}

Status Library::Remove(const std::string& name) const {
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kWrite);
  if (!store.ok()) return store.error();
  return RemoveDocument(**store, name);
}

Result<int64_t> Library::Compact(const std::shared_ptr<Model>& model, const std::string& name) const {
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kWrite);
  if (!store.ok()) return store.error();
  return CompactDocument(**store, model, name, MemoryBudget(0));
}

Status Library::Export(const std::string& name, const std::string& path) const {
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kRead);
  if (!store.ok()) return store.error();
  return ExportDocument(**store, name, path);
}

Result<DocumentInfo> Library::Import(const std::string& path, const std::string& name) const {
  Result<std::unique_ptr<Store>> store = OpenStore(folder_, Access::kWrite);
  if (!store.ok()) return store.error();
  const Result<std::string> imported = ImportDocument(**store, path, name);
  if (!imported.ok()) return imported.error();
  return ShowIn(**store, *imported);
}

}  // namespace ltri
