#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

// The little of SQLite's C interface that the repository needs, with Results.
namespace weir::settings::sqlite {

// One connection. Confined to one thread at a time.
// Errors everywhere: kConflict (a uniqueness constraint), kNotFound (a foreign key), kCorrupt (damaged, not a
// database), kTimeout (locked by another process), kOverloaded (disk full), kUnavailable (any other failure).
class Database {
 public:
  // The file must exist. Waits up to `busy_timeout` for locks of other processes.
  static Result<Database> open(const std::string& path, std::chrono::milliseconds busy_timeout);
  Result<> run(const char* sql);              // one or several statements without values and answers
  Result<std::string> text(const char* sql);  // the first column of the first row, or ""
  Result<int64_t> number(const char* sql);
  sqlite3* handle() const { return handle_.get(); }
  // What the last call failed of.
  Error error() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::string name_;  // of the file alone: what a caller is told says nothing of where it lies
  std::unique_ptr<sqlite3, Close> handle_;
};

// A prepared statement with bound values. A failed prepare or bind shows at the first step().
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);
  Statement& bind(std::string_view text);
  Statement& bind(int64_t number);
  Statement& bind_blob(std::string_view bytes);
  Statement& bind_null();
  // True while there is a row.
  Result<bool> step();
  // For statements without rows.
  Result<> finish();

  int64_t number(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  const Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int code_ = 0;
  int bound_ = 0;
};

}  // namespace weir::settings::sqlite
