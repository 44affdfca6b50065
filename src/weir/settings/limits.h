#pragma once

#include <cstddef>
#include <cstdint>

// How much of each thing a repository keeps. Every snapshot holds all of it in memory.
namespace weir::settings {

inline constexpr size_t kProjectsMax = 10'000;
inline constexpr size_t kKeysMax = 10'000;
inline constexpr size_t kOutsideNamesMax = 100'000;
inline constexpr size_t kTrafficRulesMax = 1'000;  // each is held against each event of its projects
inline constexpr size_t kProjectNameBytesMax = 64;
inline constexpr size_t kHostnamesMax = 100;  // of a project
inline constexpr size_t kKeyNameBytesMax = 100;
inline constexpr size_t kOutsideNameBytesMax = 200;
inline constexpr size_t kRuleValueBytesMax = 200;
inline constexpr size_t kRuleStarsMax = 8;  // of a path
inline constexpr size_t kRuleNoteBytesMax = 200;
inline constexpr size_t kSecretBytesMax = 200;
inline constexpr size_t kGoalsMax = 200;  // of a project, as the next four
inline constexpr size_t kSegmentsMax = 1'000;
inline constexpr size_t kAnnotationsMax = 2'000;
inline constexpr size_t kPropertiesMax = 200;
inline constexpr size_t kQueriesMax = 1'000;
inline constexpr size_t kItemsMax = 50'000;                 // of all projects
inline constexpr size_t kItemBodiesBytesMax = 64ULL << 20;  // of all projects
inline constexpr size_t kItemNameBytesMax = 200;
inline constexpr size_t kItemBodyBytesMax = 16 << 10;
inline constexpr size_t kFiltersMax = 100;    // of a segment, groups and what is in them
inline constexpr size_t kFilterDepthMax = 8;  // of lists in lists
inline constexpr size_t kGoalPageBytesMax = 2'000;
inline constexpr size_t kGoalStarsMax = 8;
inline constexpr size_t kUsersMax = 10'000;
inline constexpr size_t kGrantsMax = 200;  // of a person: one for all projects, else one a project
inline constexpr size_t kInvitationsMax = 1'000;
inline constexpr size_t kSharesMax = 10'000;
inline constexpr size_t kShareOriginsMax = 20;
inline constexpr size_t kEmailBytesMax = 254;
inline constexpr size_t kPersonNameBytesMax = 100;
inline constexpr size_t kPasswordBytesMin = 12;
inline constexpr size_t kPasswordBytesMax = 500;
inline constexpr size_t kAuditEntriesMax = 200'000;   // the oldest go first
inline constexpr size_t kAuditValueBytesMax = 1'000;  // of a field before or after a change
inline constexpr int64_t kInvitationMillis = 7LL * 86'400'000;
inline constexpr uint32_t kRetentionDaysMax = 36'500;

}  // namespace weir::settings
