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
inline constexpr size_t kKeyNameBytesMax = 100;
inline constexpr size_t kOutsideNameBytesMax = 200;
inline constexpr size_t kRuleValueBytesMax = 200;
inline constexpr size_t kRuleStarsMax = 8;  // of a path
inline constexpr size_t kRuleNoteBytesMax = 200;
inline constexpr size_t kSecretBytesMax = 200;
inline constexpr uint32_t kRetentionDaysMax = 36'500;

}  // namespace weir::settings
