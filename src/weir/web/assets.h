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
// The value of the Link header that names the scripts and styles of every page, or of a project's page.
std::string_view page_links(bool of_project);
// How the page's policy names the scripts that stand in the page itself.
std::string_view inline_scripts();

// A project's page before its script has run, as it is for one range and for those who edit or do not. Where the name
// of the project and its time zone belong, all of it says __PROJECT__ and __TIME_ZONE__.
struct FirstView {
  std::string_view query;  // of its address
  bool for_editors;
  std::string_view before, after;  // the page up to its first answers, and the rest
  std::string_view requests;       // for those answers: "METHOD PATH[ BODY]" a line
};
// Thread-safe.
const std::vector<FirstView>& first_views();

}  // namespace weir::web
