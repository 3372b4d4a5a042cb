#include "library/catalogue.h"

#include <fmt/format.h>

#include <string_view>

#include "library/catalogue_schema.h"
#include "library/format.h"

namespace ltri {
namespace {

// What CREATE TABLE statements of a fresh catalogue look like in sqlite_schema, sorted by table.
std::string ExpectedSchema() {
  std::string schema;
  for (const char* table : kCatalogueTables) schema += std::string(table) + ";";
  return schema;
}

// Everything in the schema but the indexes that SQLite makes for UNIQUE.
constexpr const char* kReadSchema =
    "SELECT coalesce(group_concat(sql || ';', ''), '') FROM "
    "(SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name)";

// Made here for its mode. Whoever closes a file drops the locks that SQLite has on it, so an existing one is not
// touched, and a new one is closed before SQLite opens it.
Status MakeEmpty(FileSystem& files, const std::string& path) {
  const Result<std::unique_ptr<File>> made = files.Open(path, OpenFor::kCreating);
  return made.ok() ? (*made)->Sync() : Status();
}

Status MakeSchema(Database& database) {
  // The mode of the log stays with the file; it cannot change within a transaction.
  if (Status status = database.Run("PRAGMA journal_mode=WAL"); !status.ok()) return status;
  Result<Transaction> transaction = Transaction::Begin(database, Access::kWrite);
  if (!transaction.ok()) return transaction.error();
  std::string sql = ExpectedSchema();
  sql += fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kCatalogueApplication, kCatalogueVersion);
  if (Status status = database.Run(sql.c_str()); !status.ok()) return status;
  return transaction->Commit();
}

DocumentRecord ReadDocument(const Statement& row, bool* whole) {
  DocumentRecord record;
  record.name = row.Text(1);
  const std::optional<uint64_t> id = ParseId(row.Text(2));
  const std::optional<uint64_t> fingerprint = ParseId(row.Text(3));
  record.model_path = row.Text(4);
  record.settings = {row.Text(5), row.Integer(6), row.Integer(7), row.Integer(8), row.Integer(9), row.Integer(10) != 0};
  record.created = row.Integer(11);
  record.updated = row.Integer(12);
  record.tokens = row.Integer(13);
  record.text_bytes = row.Integer(14);
  record.generation = row.Integer(15);
  record.finished = row.Integer(16) != 0;
  record.id = id.value_or(0);
  record.fingerprint = fingerprint.value_or(0);
  *whole = id && fingerprint && record.generation > 0;
  return record;
}

}  // namespace

Result<Catalogue> Catalogue::Open(FileSystem& files, const std::string& path, Access access) {
  Result<Database> database = Database::Open(path, access, files.database_layer());
  if (!database.ok()) return database.error();
  Catalogue catalogue(std::move(*database));
  if (Status status = catalogue.CheckSchema(/*may_make=*/false); !status.ok()) return status.error();
  return catalogue;
}

Result<Catalogue> Catalogue::Make(FileSystem& files, const std::string& path) {
  if (Status status = MakeEmpty(files, path); !status.ok()) return status.error();
  Result<Database> database = Database::Open(path, Access::kWrite, files.database_layer());
  if (!database.ok()) return database.error();
  Catalogue catalogue(std::move(*database));
  if (Status status = catalogue.CheckSchema(/*may_make=*/true); !status.ok()) return status.error();
  return catalogue;
}

Status Catalogue::CheckSchema(bool may_make) {
  const Result<std::string> schema = database_.Text(kReadSchema);
  if (!schema.ok()) return schema.error();
  const Result<int64_t> application = database_.Integer("PRAGMA application_id");
  if (!application.ok()) return application.error();
  const Result<int64_t> version = database_.Integer("PRAGMA user_version");
  if (!version.ok()) return version.error();
  if (schema->empty() && *application == 0 && may_make) return MakeSchema(database_);
  if (*application == kCatalogueApplication && *version != kCatalogueVersion) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: has version {}; this build reads version {}",
                                                      database_.path(), *version, kCatalogueVersion)};
  }
  if (*application == kCatalogueApplication && *schema == ExpectedSchema()) return {};
  return Error{ErrorCode::kCorrupt, fmt::format("{}: is no catalogue of ltri", database_.path())};
}

Result<std::vector<std::string>> Catalogue::Names() {
  Result<Statement> rows = database_.Prepare("SELECT name FROM documents ORDER BY name");
  if (!rows.ok()) return rows.error();
  std::vector<std::string> names;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row.ok()) return row.error();
    if (!*row) return names;
    names.push_back(rows->Text(0));
  }
}

Error Catalogue::NotFound(const std::string& name) {
  const Result<std::vector<std::string>> names = Names();
  if (!names.ok()) return names.error();
  return {ErrorCode::kNotFound, fmt::format("there is no document '{}' in {}; there is: {}", name, database_.path(),
                                            names->empty() ? "none" : fmt::format("{}", fmt::join(*names, ", ")))};
}

Result<int64_t> Catalogue::RowOf(const std::string& name) {
  Result<Statement> rows = database_.Prepare("SELECT id FROM documents WHERE name=?1");
  if (!rows.ok()) return rows.error();
  const Result<bool> row = rows->Bind(0, name).Step();
  if (!row.ok()) return row.error();
  if (!*row) return NotFound(name);
  return rows->Integer(0);
}

Result<DocumentRecord> Catalogue::Find(const std::string& name) {
  const Result<Transaction> snapshot = Transaction::Begin(database_, Access::kRead);
  if (!snapshot.ok()) return snapshot.error();
  return Read(name);
}

Result<std::vector<DocumentRecord>> Catalogue::All() {
  const Result<Transaction> snapshot = Transaction::Begin(database_, Access::kRead);
  if (!snapshot.ok()) return snapshot.error();
  const Result<std::vector<std::string>> names = Names();
  if (!names.ok()) return names.error();
  std::vector<DocumentRecord> records;
  for (const std::string& name : *names) {
    Result<DocumentRecord> record = Read(name);
    if (!record.ok()) return record.error();
    records.push_back(std::move(*record));
  }
  return records;
}

Result<DocumentRecord> Catalogue::Read(const std::string& name) {
  Result<Statement> rows = database_.Prepare(
      "SELECT id, name, folder, fingerprint, model, method, sinks, window, budget, block, plain, created, updated, "
      "tokens, bytes, generation, finished FROM documents WHERE name=?1");
  if (!rows.ok()) return rows.error();
  const Result<bool> row = rows->Bind(0, name).Step();
  if (!row.ok()) return row.error();
  if (!*row) return NotFound(name);
  bool whole = false;
  DocumentRecord record = ReadDocument(*rows, &whole);
  if (!whole) return Error{ErrorCode::kCorrupt, fmt::format("{}: the row of a document is damaged", database_.path())};
  if (Status status = ReadLists(rows->Integer(0), record); !status.ok()) return status.error();
  if (Status status = CheckRecord(database_.path(), record); !status.ok()) return status.error();
  return record;
}

Status Catalogue::ReadLists(int64_t row, DocumentRecord& record) {
  // Runs a query for the document and hands each of its rows to `take`.
  const auto each = [&](const char* sql, auto take) -> Status {
    Result<Statement> rows = database_.Prepare(sql);
    if (!rows.ok()) return rows.error();
    rows->Bind(0, row);
    while (true) {
      const Result<bool> found = rows->Step();
      if (!found.ok()) return found.error();
      if (!*found) return {};
      if (!take(*rows)) {
        return Error{ErrorCode::kCorrupt, fmt::format("{}: rows of '{}' are missing", database_.path(), record.name)};
      }
    }
  };
  Status status =
      each("SELECT number, path, skipped, bytes, checksum, text_begin FROM sources WHERE document=?1 ORDER BY number",
           [&](const Statement& r) {
             record.sources.push_back(
                 {r.Text(1), r.Integer(2), r.Integer(3), static_cast<uint64_t>(r.Integer(4)), r.Integer(5)});
             return r.Integer(0) == static_cast<int64_t>(record.sources.size()) - 1;
           });
  if (!status.ok()) return status;
  status = each("SELECT number, bytes FROM segments WHERE document=?1 ORDER BY number", [&](const Statement& r) {
    record.segments.push_back(r.Integer(1));
    return r.Integer(0) == static_cast<int64_t>(record.segments.size());
  });
  if (!status.ok()) return status;
  return each(
      "SELECT token_begin, token_end, byte_begin, byte_end, address, bytes FROM texts WHERE document=?1 "
      "ORDER BY byte_begin",
      [&](const Statement& r) {
        record.texts.push_back({r.Integer(0), r.Integer(1), r.Integer(2), r.Integer(3), r.Integer(4), r.Integer(5)});
        return true;
      });
}

Status Catalogue::Commit(const DocumentRecord& record, std::span<const SpanRow> spans) {
  Result<Transaction> transaction = Transaction::Begin(database_, Access::kWrite);
  if (!transaction.ok()) return transaction.error();
  const Result<int64_t> row = WriteDocument(record);
  if (!row.ok()) return row.error();
  if (Status status = WriteLists(*row, record); !status.ok()) return status;
  if (Status status = WriteSpans(*row, spans); !status.ok()) return status;
  return transaction->Commit();
}

// The row of the document: the one it has, or a new one when the name or the id is new.
Result<int64_t> Catalogue::WriteDocument(const DocumentRecord& record) {
  Result<Statement> old = database_.Prepare("DELETE FROM documents WHERE name=?1 AND folder<>?2");
  if (!old.ok()) return old.error();
  if (Status status = old->Bind(0, record.name).Bind(1, IdText(record.id)).Run(); !status.ok()) return status.error();
  Result<Statement> insert = database_.Prepare(
      "INSERT INTO documents(name, folder, fingerprint, model, method, sinks, window, budget, block, plain, created, "
      "updated, tokens, bytes, generation, finished) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16) "
      "ON CONFLICT(folder) DO UPDATE SET model=excluded.model, updated=excluded.updated, tokens=excluded.tokens, "
      "bytes=excluded.bytes, generation=excluded.generation, finished=excluded.finished");
  if (!insert.ok()) return insert.error();
  const ReadingSettings& settings = record.settings;
  insert->Bind(0, record.name)
      .Bind(1, IdText(record.id))
      .Bind(2, IdText(record.fingerprint))
      .Bind(3, record.model_path);
  insert->Bind(4, settings.method).Bind(5, settings.sinks).Bind(6, settings.window).Bind(7, settings.budget);
  insert->Bind(8, settings.block).Bind(9, int64_t{settings.plain}).Bind(10, record.created).Bind(11, record.updated);
  insert->Bind(12, record.tokens).Bind(13, record.text_bytes).Bind(14, record.generation);
  if (Status status = insert->Bind(15, int64_t{record.finished}).Run(); !status.ok()) return status.error();
  return RowOf(record.name);
}

Status Catalogue::WriteLists(int64_t row, const DocumentRecord& record) {
  for (const char* sql : {"DELETE FROM sources WHERE document=?1", "DELETE FROM segments WHERE document=?1",
                          "DELETE FROM texts WHERE document=?1"}) {
    Result<Statement> remove = database_.Prepare(sql);
    if (!remove.ok()) return remove.error();
    if (Status status = remove->Bind(0, row).Run(); !status.ok()) return status;
  }
  Result<Statement> source = database_.Prepare("INSERT INTO sources VALUES(?1,?2,?3,?4,?5,?6,?7)");
  if (!source.ok()) return source.error();
  for (size_t i = 0; i < record.sources.size(); ++i) {
    const Source& s = record.sources[i];
    source->Bind(0, row).Bind(1, static_cast<int64_t>(i)).Bind(2, s.path).Bind(3, s.skipped).Bind(4, s.bytes);
    source->Bind(5, static_cast<int64_t>(s.checksum)).Bind(6, s.text_begin);
    if (Status status = source->Run(); !status.ok()) return status;
  }
  Result<Statement> segment = database_.Prepare("INSERT INTO segments VALUES(?1,?2,?3)");
  if (!segment.ok()) return segment.error();
  for (size_t i = 0; i < record.segments.size(); ++i) {
    segment->Bind(0, row).Bind(1, static_cast<int64_t>(i) + 1).Bind(2, record.segments[i]);
    if (Status status = segment->Run(); !status.ok()) return status;
  }
  Result<Statement> text = database_.Prepare("INSERT INTO texts VALUES(?1,?2,?3,?4,?5,?6,?7)");
  if (!text.ok()) return text.error();
  for (const TextPiece& t : record.texts) {
    text->Bind(0, row).Bind(1, t.token_begin).Bind(2, t.token_end).Bind(3, t.byte_begin).Bind(4, t.byte_end);
    if (Status status = text->Bind(5, t.address).Bind(6, t.block_bytes).Run(); !status.ok()) return status;
  }
  return {};
}

Status Catalogue::WriteSpans(int64_t row, std::span<const SpanRow> spans) {
  Result<Statement> insert = database_.Prepare("INSERT OR REPLACE INTO spans VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
  if (!insert.ok()) return insert.error();
  for (const SpanRow& span : spans) {
    insert->Bind(0, row).Bind(1, span.layer).Bind(2, span.token_begin).Bind(3, span.token_end);
    insert->Bind(4, span.byte_begin).Bind(5, span.byte_end).Bind(6, span.score).Bind(7, span.confidence);
    if (Status status = insert->Run(); !status.ok()) return status;
  }
  return {};
}

Status Catalogue::DropSpansBehind(const std::string& name, int64_t tokens) {
  const Result<int64_t> row = RowOf(name);
  if (!row.ok()) return row.error();
  Result<Statement> remove = database_.Prepare("DELETE FROM spans WHERE document=?1 AND token_end>?2");
  if (!remove.ok()) return remove.error();
  return remove->Bind(0, *row).Bind(1, tokens).Run();
}

Status Catalogue::Remove(const std::string& name) {
  const Result<int64_t> row = RowOf(name);
  if (!row.ok()) return row.error();
  Result<Statement> remove = database_.Prepare("DELETE FROM documents WHERE id=?1");
  if (!remove.ok()) return remove.error();
  return remove->Bind(0, *row).Run();
}

Result<std::vector<SpanRow>> Catalogue::Spans(const std::string& name) {
  Result<Statement> rows = database_.Prepare(
      "SELECT layer, token_begin, token_end, byte_begin, byte_end, score, confidence FROM spans "
      "JOIN documents ON documents.id=document WHERE name=?1 ORDER BY layer, token_begin");
  if (!rows.ok()) return rows.error();
  rows->Bind(0, name);
  std::vector<SpanRow> spans;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row.ok()) return row.error();
    if (!*row) return spans;
    spans.push_back({rows->Integer(0), rows->Integer(1), rows->Integer(2), rows->Integer(3), rows->Integer(4),
                     rows->Number(5), rows->Number(6)});
  }
}

Result<std::vector<Catalogue::LayerEnd>> Catalogue::SpanEnds(const std::string& name) {
  Result<Statement> rows = database_.Prepare(
      "SELECT layer, count(*), max(token_end) FROM spans JOIN documents ON documents.id=document WHERE name=?1 "
      "GROUP BY layer ORDER BY layer");
  if (!rows.ok()) return rows.error();
  rows->Bind(0, name);
  std::vector<LayerEnd> ends;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row.ok()) return row.error();
    if (!*row) return ends;
    ends.push_back({rows->Integer(0), rows->Integer(1), rows->Integer(2)});
  }
}

Status Catalogue::Check() {
  const Result<std::string> found = database_.Text("PRAGMA integrity_check(1)");
  if (!found.ok()) return found.error();
  if (*found == "ok") return {};
  return Error{ErrorCode::kCorrupt, fmt::format("{}: {}", database_.path(), *found)};
}

Status Catalogue::Compact() {
  if (Status status = database_.Run("VACUUM"); !status.ok()) return status;
  return database_.Run("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace ltri
