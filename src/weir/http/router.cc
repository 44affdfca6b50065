#include "weir/http/router.h"

#include "weir/base/check.h"

namespace weir::http {

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "";
}

void Router::add(Method method, std::string path, RouteOptions options, Handler handler) {
  WEIR_CHECK(!path.empty() && path.front() == '/');
  const bool prefix = path.ends_with("/*");
  const std::string key = prefix ? path.substr(0, path.size() - 1) : path;
  auto& at = prefix ? prefixes_[key] : exact_[key];
  for (size_t other : at) WEIR_CHECK(routes_[other].method != method);
  at.push_back(routes_.size());
  routes_.push_back({method, std::move(path), options, std::move(handler)});
}

void Router::guard(std::string prefix, Headers headers) { guards_.emplace_back(std::move(prefix), std::move(headers)); }

const Router::Headers* Router::guards_of(std::string_view path) const {
  for (const auto& [prefix, headers] : guards_)
    if (path.starts_with(prefix)) return &headers;
  return nullptr;
}

const Route* Router::pick(const std::vector<size_t>& candidates, Method method, const Route*& any) const {
  const Route* get = nullptr;
  for (size_t i : candidates) {
    const Route& route = routes_[i];
    if (any == nullptr) any = &route;
    if (route.method == method) return &route;
    if (route.method == Method::get) get = &route;
  }
  return method == Method::head ? get : nullptr;
}

template <class Visit>
void Router::for_each_match(std::string_view path, Visit visit) const {
  if (auto at = exact_.find(path); at != exact_.end() && visit(at->second)) return;
  if (prefixes_.empty()) return;
  // From the longest prefix down: "/a/b/c" asks for "/a/b/", "/a/", "/".
  for (size_t slash = path.rfind('/'); slash != std::string_view::npos; slash = path.rfind('/', slash - 1)) {
    if (auto at = prefixes_.find(path.substr(0, slash + 1)); at != prefixes_.end() && visit(at->second)) return;
    if (slash == 0) return;
  }
}

const Route* Router::find(Method method, std::string_view path, std::string& allowed) const {
  const Route* found = nullptr;
  const Route* any = nullptr;
  for_each_match(path, [&](const std::vector<size_t>& candidates) {
    found = pick(candidates, method, any);
    return found != nullptr;
  });
  allowed.clear();
  if (found != nullptr || any == nullptr) return found;
  bool seen[static_cast<size_t>(Method::other) + 1] = {};
  seen[static_cast<size_t>(Method::options)] = true;
  for_each_match(path, [&](const std::vector<size_t>& candidates) {
    for (size_t i : candidates) seen[static_cast<size_t>(routes_[i].method)] = true;
    return false;
  });
  if (seen[static_cast<size_t>(Method::get)]) seen[static_cast<size_t>(Method::head)] = true;
  for (size_t m = 0; m < static_cast<size_t>(Method::other); ++m) {
    if (!seen[m]) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += name_of(static_cast<Method>(m));
  }
  return nullptr;
}

const Route* Router::any_of(std::string_view path) const {
  const Route* any = nullptr;
  for_each_match(path, [&](const std::vector<size_t>& candidates) {
    any = &routes_[candidates.front()];
    return true;
  });
  return any;
}

}  // namespace weir::http
