#include <algorithm>
#include <cstdint>

#include "weir/web/assets.h"

// The bundle's bytes (web/dashboard/scripts/build.mjs) become part of the program as they are.
__asm__(
    ".section .rodata\n"
    ".global weir_web_assets\n"
    ".hidden weir_web_assets\n"
    ".balign 16\n"
    "weir_web_assets:\n"
    ".incbin \"" WEIR_WEB_ASSETS
    "\"\n"
    ".byte 0\n"
    ".previous\n");

extern "C" const char weir_web_assets[];

namespace weir::web {

namespace {
struct Row {
  std::string_view path, type, tag;
  size_t identity_at, identity_bytes, gzip_at, gzip_bytes, brotli_at, brotli_bytes;
};

constexpr Row kRows[] = {
#include <assets.inc>
};

constexpr size_t kFirstViewBytes =
#include <first_view.inc>
    ;

// Of every page, of a project's page.
constexpr std::string_view kLinks[] = {
#include <early.inc>
};

constexpr std::string_view kInlineScripts =
#include <policy.inc>
    ;

struct ViewRow {
  std::string_view query;
  bool for_editors;
  size_t before_at, before_bytes, after_at, after_bytes, requests_at, requests_bytes;
};

constexpr ViewRow kViewRows[] = {
#include <first_views.inc>
};

std::string_view piece(size_t at, size_t bytes) { return {weir_web_assets + at, bytes}; }
}  // namespace

const std::vector<Asset>& assets() {
  static const std::vector<Asset> all = [] {
    std::vector<Asset> found;
    for (const Row& row : kRows)
      found.push_back({row.path, row.type, row.tag, piece(row.identity_at, row.identity_bytes),
                       piece(row.gzip_at, row.gzip_bytes), piece(row.brotli_at, row.brotli_bytes)});
    std::sort(found.begin(), found.end(), [](const Asset& a, const Asset& b) { return a.path < b.path; });
    return found;
  }();
  return all;
}

const Asset* find_asset(std::string_view path) {
  const auto& all = assets();
  auto at = std::lower_bound(all.begin(), all.end(), path,
                             [](const Asset& asset, std::string_view wanted) { return asset.path < wanted; });
  return at != all.end() && at->path == path ? &*at : nullptr;
}

size_t first_view_bytes() { return kFirstViewBytes; }

std::string_view page_links(bool of_project) { return kLinks[of_project ? 1 : 0]; }

std::string_view inline_scripts() { return kInlineScripts; }

const std::vector<FirstView>& first_views() {
  static const std::vector<FirstView> all = [] {
    std::vector<FirstView> found;
    for (const ViewRow& row : kViewRows)
      found.push_back({row.query, row.for_editors, piece(row.before_at, row.before_bytes),
                       piece(row.after_at, row.after_bytes), piece(row.requests_at, row.requests_bytes)});
    return found;
  }();
  return all;
}

}  // namespace weir::web
