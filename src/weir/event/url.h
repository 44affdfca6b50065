#pragma once

#include <string>
#include <string_view>

namespace weir::event {

// The parts of a URL that analytics asks for, as written: views into the URL, nothing decoded, nothing lower-cased.
struct UrlParts {
  std::string_view scheme;    // without ':'; empty for a relative URL
  std::string_view hostname;  // without user, port and a root dot; an IPv6 address without brackets
  std::string_view path;      // begins with '/', or empty when the URL has none
  std::string_view query;     // without '?'
  std::string_view fragment;  // without '#'
};

// Never fails: what has no such part answers an empty one. Takes absolute ("https://a/b?c"), scheme-relative
// ("//a/b") and path-only ("/b?c") forms.
UrlParts split_url(std::string_view url);

// Calls `each(name, value)` for every parameter of a query, in order, still percent-encoded.
template <class Each>
void for_each_parameter(std::string_view query, Each&& each) {
  while (!query.empty()) {
    size_t end = query.find('&');
    std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (pair.empty()) continue;
    size_t equals = pair.find('=');
    each(pair.substr(0, equals), equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
  }
}

// Undoes percent-encoding and '+', appending to `out`. A broken escape stays as it is; bytes that are not UTF-8 after
// decoding become U+FFFD, so that the result is always valid text.
void append_url_decoded(std::string_view text, std::string& out);

}  // namespace weir::event
