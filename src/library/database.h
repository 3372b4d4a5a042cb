// Database: what the catalogue asks of SQLite, with errors as results. The only header over sqlite3.h.
//
// A file may come from anywhere: schemas are not trusted, cells are checked, and no value is longer than kLongestValue.
// Thread safety: one caller at a time.
#ifndef LTRI_LIBRARY_DATABASE_H_
#define LTRI_LIBRARY_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ltri/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ltri {

enum class Access { kRead, kWrite };

// A prepared statement. Columns and parameters count from 0.
class Statement {
 public:
  Statement& Bind(int parameter, int64_t value);
  Statement& Bind(int parameter, double value);
  Statement& Bind(int parameter, std::string_view value);

  // The next row; false at the end, after which the statement may be bound and run again.
  Result<bool> Step();
  // For a statement without rows.
  Status Run();

  int64_t Integer(int column) const;
  double Number(int column) const;
  std::string Text(int column) const;

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(const std::string* path, sqlite3_stmt* statement) : path_(path), statement_(statement) {}

  const std::string* path_;  // the database's
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int failure_ = 0;  // of a Bind
};

class Database {
 public:
  static constexpr int kLongestValue = 1 << 20;  // bytes

  // The file exists; an empty one is a new database. vfs: null for SQLite's own.
  static Result<Database> Open(const std::string& path, Access access, const char* vfs);

  Status Run(const char* sql);
  // `sql` is ours and correct; errors are those of the file.
  Result<Statement> Prepare(const char* sql);
  // The first column of the first row.
  Result<int64_t> Integer(const char* sql);
  Result<std::string> Text(const char* sql);

  int64_t last_row() const;  // id of the row that was inserted last
  const std::string& path() const { return *path_; }

 private:
  struct Closer {
    void operator()(sqlite3* database) const;
  };
  Database(std::unique_ptr<const std::string> path, std::unique_ptr<sqlite3, Closer> handle)
      : path_(std::move(path)), handle_(std::move(handle)) {}

  std::unique_ptr<const std::string> path_;  // where statements find it, wherever this object moves
  std::unique_ptr<sqlite3, Closer> handle_;
};

// Rolled back at the end of its life, unless it was committed.
class Transaction {
 public:
  // kWrite: no other may write from now on. kRead: all reads see one state.
  static Result<Transaction> Begin(Database& database, Access access);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;

  Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_DATABASE_H_
