#pragma once

#include <string_view>

namespace weir {

// Whether this is written as the names of the IANA list are, such as Europe/Berlin, and is none of the other files that
// lie among the system's zone files: nothing of it leads out of their directory.
bool looks_like_zone(std::string_view name);

// Whether the system's zone files have it. Asks the file system.
bool is_known_zone(std::string_view name);

}  // namespace weir
