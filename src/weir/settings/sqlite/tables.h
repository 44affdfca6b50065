#pragma once

#include <cstdint>
#include <string>

#include "weir/settings/settings.h"
#include "weir/settings/sqlite/database.h"

// The tables of settings.db, and the state in them. Errors everywhere: as Database.
namespace weir::settings::sqlite {

// The version that this program's schema has.
int64_t schema_version();
// Brings the schema from version `from` to the next, within the caller's transaction.
Result<> migrate_step(Database& db, int64_t from);

// Everything. Errors: kCorrupt as well (a value that no version of weir writes).
Result<State> load(const Database& db);
// Makes of the tables that hold `before` those that hold `after`, within the caller's transaction. `now` is when what
// is gone went.
Result<> store(const Database& db, const State& before, const State& after, UnixMillis now);

}  // namespace weir::settings::sqlite
