#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/http/router.h"
#include "weir/web/first_view.h"

namespace weir::web {

struct WebOptions {
  // The origins that may show the shared page of this token (as in its path, not decoded) in a frame; none: no one may.
  // Unset: no one may, ever. Called on I/O threads; must not block.
  std::function<std::vector<std::string>(std::string_view token)> frame_ancestors = nullptr;
  // Unset: a project's page comes without its first answers, always.
  ViewerOf viewer_of = nullptr;
};

// The dashboard: GET / leads to /ui/; /ui/assets/... are the bundle's files, kept by browsers for a year since their
// names change with their content; every other path below /ui/ is the page itself, which finds its way by its address.
// Answers carry the policy that allows scripts and styles of the bundle's own files only. The page of a project is
// asked for from `router` itself, as far as it can be (first_view()); it must live as long as its routes.
void add_web_routes(http::Router& router, WebOptions options = {});

}  // namespace weir::web
