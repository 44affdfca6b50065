#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weir/settings/people.h"
#include "weir/settings/sqlite/database.h"

// What stands beside the state in settings.db: who is signed in, and the audit log. Errors everywhere: as Database.
namespace weir::settings::sqlite {

Result<std::vector<Session>> load_sessions(const Database& db);
Result<> add(const Database& db, const Session& session);
// When and from where they were last used; of those that are there.
Result<> note_seen(const Database& db, const std::vector<Session>& sessions);
Result<> drop_sessions(const Database& db, const std::vector<std::string>& ids);

// The oldest entries beyond `kept_max` go.
Result<> append(const Database& db, const std::vector<AuditEntry>& entries, size_t kept_max);
Result<std::vector<AuditEntry>> load_audit(const Database& db, int64_t before, size_t limit,
                                           std::optional<ProjectId> project);

}  // namespace weir::settings::sqlite
