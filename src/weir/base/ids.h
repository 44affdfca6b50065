#pragma once

#include <cstdint>
#include <string>

namespace weir {

// A project's id: random, never reused, kept through renaming. 0 is no project.
enum class ProjectId : uint64_t {};

constexpr uint64_t number(ProjectId id) { return static_cast<uint64_t>(id); }
inline std::string to_string(ProjectId id) { return std::to_string(number(id)); }

// A person's id: random, never reused. 0 is nobody.
enum class UserId : uint64_t {};

constexpr uint64_t number(UserId id) { return static_cast<uint64_t>(id); }
inline std::string to_string(UserId id) { return std::to_string(number(id)); }

}  // namespace weir
