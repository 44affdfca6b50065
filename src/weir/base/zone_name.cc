#include "weir/base/zone_name.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>

namespace weir {

namespace {
bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
}  // namespace

bool looks_like_zone(std::string_view name) {
  const bool plain = !name.empty() && name.size() <= 64 && is_alphanumeric(name.front()) && name.back() != '/' &&
                     name.find("//") == std::string_view::npos && std::all_of(name.begin(), name.end(), [](char c) {
                       return is_alphanumeric(c) || c == '/' || c == '_' || c == '-' || c == '+';
                     });
  const bool other = name.starts_with("posix/") || name.starts_with("right/") || name.starts_with("Fixed/") ||
                     name == "posixrules" || name == "localtime" || name == "leapseconds";
  return plain && !other;
}

bool is_known_zone(std::string_view name) {
  if (!looks_like_zone(name)) return false;
  const std::string path = "/usr/share/zoneinfo/" + std::string(name);
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

}  // namespace weir
