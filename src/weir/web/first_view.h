#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "weir/http/message.h"
#include "weir/http/router.h"

namespace weir::web {

// Somebody signed in who looks at a project's page.
struct Viewer {
  bool edits = false;     // is an editor of the project, or more
  std::string time_zone;  // of the project
  std::string csrf;       // what their requests have to repeat
};

// Who looks at the page of this project (as in its path, not decoded); nothing: nobody who may see it, or somebody who
// has to do something else first. Called on I/O threads; must not block.
using ViewerOf = std::function<std::optional<Viewer>(const http::Request&, std::string_view project)>;

// The page of a project as it looks before its script has run, and at its end the answers to what that script would ask
// first, each as soon as it is there, so that a slow browser shows numbers after one answer instead of three. They are
// had from `router`, as the viewer, while the browser reads what is above them; where one is an error, it is null, and
// the page asks itself.
// Nothing: the page as it is for everybody will do (another page, another range, no such viewer, HEAD). `router` must
// outlive the answer's body. It lacks the headers that every page has. Runs on a connection's thread.
boost::asio::awaitable<std::optional<http::Response>> first_view(const http::Request& request,
                                                                 const http::Router& router, const ViewerOf& viewer_of);

}  // namespace weir::web
