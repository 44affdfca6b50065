#pragma once

#include <string_view>
#include <vector>

namespace weir::web {

// A file of the bundled dashboard. Its bytes are part of the program.
struct Asset {
  std::string_view path;  // "/ui/assets/index-D5BqeWYe.js"; the page itself is "/ui/index.html"
  std::string_view type;  // its media type
  std::string_view tag;   // of its content: another content has another tag
  std::string_view identity;
  std::string_view gzip;
  std::string_view brotli;
};

// All of them, by rising path. Thread-safe.
const std::vector<Asset>& assets();
// By its exact path; null when there is none.
const Asset* find_asset(std::string_view path);
// Bytes over the wire (brotli) until a project page shows its first view, without the API's answers.
size_t first_view_bytes();
// The value of the Link header that names the scripts and styles of that view.
std::string_view first_view_links();

}  // namespace weir::web
