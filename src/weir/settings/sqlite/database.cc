#include "weir/settings/sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace weir::settings::sqlite {

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Database> Database::open(const std::string& path, std::chrono::milliseconds busy_timeout) {
  sqlite3* handle = nullptr;
  // NOMUTEX: the repository's mutex is the lock.
  int code = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database;
  database.name_ = path.substr(path.rfind('/') + 1);
  database.handle_.reset(handle);
  if (handle == nullptr) return Error{ErrorCode::kUnavailable, "settings: out of memory"};
  if (code != SQLITE_OK) return database.error();
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count()));
  // A damaged or planted schema must not be able to run anything.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

Result<> Database::run(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return {};
}

Result<std::string> Database::text(const char* sql) {
  Statement statement(*this, sql);
  auto row = statement.step();
  if (!row) return std::move(row).error();
  return *row ? statement.text(0) : std::string();
}

Result<int64_t> Database::number(const char* sql) {
  Statement statement(*this, sql);
  auto row = statement.step();
  if (!row) return std::move(row).error();
  return *row ? statement.number(0) : 0;
}

Error Database::error() const {
  int extended = sqlite3_extended_errcode(handle_.get());
  ErrorCode code = ErrorCode::kUnavailable;
  switch (extended & 0xff) {
    case SQLITE_CONSTRAINT:
      code = extended == SQLITE_CONSTRAINT_FOREIGNKEY ? ErrorCode::kNotFound : ErrorCode::kConflict;
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      code = ErrorCode::kCorrupt;
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      code = ErrorCode::kTimeout;
      break;
    case SQLITE_FULL:
      code = ErrorCode::kOverloaded;
      break;
    default:
      break;
  }
  return {code, fmt::format("settings: {}: {} (SQLite {})", name_, sqlite3_errmsg(handle_.get()), extended)};
}

Statement::Statement(const Database& database, std::string_view sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  code_ = sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
}

Statement& Statement::bind(std::string_view text) {
  if (code_ == SQLITE_OK) {
    code_ = sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  return *this;
}
Statement& Statement::bind(int64_t number) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_.get(), ++bound_, number);
  return *this;
}
Statement& Statement::bind_blob(std::string_view bytes) {
  if (code_ == SQLITE_OK) {
    code_ = sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  }
  return *this;
}
Statement& Statement::bind_null() {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_null(statement_.get(), ++bound_);
  return *this;
}

Result<bool> Statement::step() {
  if (code_ == SQLITE_OK) {
    int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
  }
  return database_.error();
}

Result<> Statement::finish() {
  auto row = step();
  if (!row) return std::move(row).error();
  return {};
}

int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
std::string Statement::text(int column) const {
  // The same for texts and blobs.
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), static_cast<size_t>(size));
}
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

}  // namespace weir::settings::sqlite
