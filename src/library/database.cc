#include "library/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace ltri {
namespace {

constexpr int kWaitMilliseconds = 10000;  // for another process's commit

Error MakeError(const std::string& path, int code, const char* message) {
  ErrorCode kind = ErrorCode::kIo;
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR:
      kind = ErrorCode::kCorrupt;
      break;
    case SQLITE_NOMEM:
      kind = ErrorCode::kOutOfMemory;
      break;
    default:
      break;
  }
  return {kind, fmt::format("{}: {}", path, message)};
}

// A catalogue of ours needs none of what is switched off; a crafted one might.
void Harden(sqlite3* handle) {
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Database::kLongestValue);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 1);  // VACUUM needs one
}

}  // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Closer::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Statement& Statement::Bind(int parameter, int64_t value) {
  failure_ |= sqlite3_bind_int64(statement_.get(), parameter + 1, value);
  return *this;
}

Statement& Statement::Bind(int parameter, double value) {
  failure_ |= sqlite3_bind_double(statement_.get(), parameter + 1, value);
  return *this;
}

Statement& Statement::Bind(int parameter, std::string_view value) {
  failure_ |=
      sqlite3_bind_text64(statement_.get(), parameter + 1, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Result<bool> Statement::Step() {
  if (failure_ != SQLITE_OK) return MakeError(*path_, SQLITE_TOOBIG, "a value is too long for the catalogue");
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    const Error error = MakeError(*path_, code, sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
    sqlite3_reset(statement_.get());
    return error;
  }
  sqlite3_reset(statement_.get());
  return false;
}

Status Statement::Run() {
  const Result<bool> row = Step();
  if (!row.ok()) return row.error();
  return {};
}

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::Number(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text == nullptr ? std::string()
                         : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

Result<Database> Database::Open(const std::string& path, Access access, const char* vfs) {
  sqlite3* handle = nullptr;
  // Readers open for writing too: WAL needs its index beside the file. SQLite itself falls back where it may not write.
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
  std::unique_ptr<sqlite3, Closer> owner(handle);
  if (handle == nullptr) return Error{ErrorCode::kOutOfMemory, fmt::format("{}: no memory to open it", path)};
  if (code != SQLITE_OK) return MakeError(path, code, sqlite3_errmsg(handle));
  Harden(handle);
  sqlite3_busy_timeout(handle, kWaitMilliseconds);
  Database database(std::make_unique<const std::string>(path), std::move(owner));
  const char* settings = access == Access::kWrite
                             ? "PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL"
                             : "PRAGMA cell_size_check=ON; PRAGMA query_only=ON";
  if (Status status = database.Run(settings); !status.ok()) return status.error();
  return database;
}

Status Database::Run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return MakeError(path(), code, sqlite3_errmsg(handle_.get()));
  return {};
}

Result<Statement> Database::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql, -1, 0, &statement, nullptr);
  if (code != SQLITE_OK) return MakeError(path(), code, sqlite3_errmsg(handle_.get()));
  return Statement(path_.get(), statement);
}

Result<int64_t> Database::Integer(const char* sql) {
  Result<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.error();
  const Result<bool> row = statement->Step();
  if (!row.ok()) return row.error();
  return *row ? statement->Integer(0) : 0;
}

Result<std::string> Database::Text(const char* sql) {
  Result<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.error();
  const Result<bool> row = statement->Step();
  if (!row.ok()) return row.error();
  return *row ? statement->Text(0) : std::string();
}

int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }

Result<Transaction> Transaction::Begin(Database& database, Access access) {
  if (Status status = database.Run(access == Access::kWrite ? "BEGIN IMMEDIATE" : "BEGIN"); !status.ok()) {
    return status.error();
  }
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->Run("ROLLBACK");
}

Status Transaction::Commit() {
  Status status = database_->Run("COMMIT");
  if (status.ok()) database_ = nullptr;
  return status;
}

}  // namespace ltri
