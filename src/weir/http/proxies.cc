#include "weir/http/proxies.h"

#include <algorithm>

#include "weir/http/text.h"

namespace weir::http {

namespace {

// More hops than any real chain has; what a stranger may make us walk over.
constexpr int kHopsMax = 64;

// The part of `list` after its last comma that stands outside of quotes, removed from `list`.
std::string_view take_last(std::string_view& list) {
  bool quoted = false;
  for (size_t i = list.size(); i > 0; --i) {
    if (list[i - 1] == '"') quoted = !quoted;
    if (list[i - 1] != ',' || quoted) continue;
    const std::string_view last = list.substr(i);
    list = list.substr(0, i - 1);
    return trim(last);
  }
  const std::string_view last = list;
  list = {};
  return trim(last);
}

std::string_view unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

// The value of `name` in one element of Forwarded: `for=192.0.2.1;proto=https`.
std::string_view forwarded_pair(std::string_view element, std::string_view name) {
  while (!element.empty()) {
    const size_t semicolon = element.find(';');
    const std::string_view pair = trim(element.substr(0, semicolon));
    element = semicolon == std::string_view::npos ? std::string_view() : element.substr(semicolon + 1);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    if (equal_ignoring_case(trim(pair.substr(0, equals)), name)) return unquote(trim(pair.substr(equals + 1)));
  }
  return {};
}

bool is_port(std::string_view text) {
  uint64_t port = 0;
  return text.size() <= 5 && parse_decimal(text, port) && port <= 65535;
}

// A hop as proxies write it: an address, perhaps in brackets, perhaps with a port.
bool parse_hop(std::string_view text, Address& address) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !(rest.front() == ':' && is_port(rest.substr(1)))) return false;
    text = text.substr(1, end - 1);
    return text.find(':') != std::string_view::npos && parse_address(text, address);
  }
  if (std::count(text.begin(), text.end(), ':') == 1) {
    const size_t colon = text.find(':');
    if (!is_port(text.substr(colon + 1))) return false;
    text = text.substr(0, colon);
  }
  return parse_address(text, address);
}

// Calls take(value) for each header of that name, last one first, until it says false. False when there is none.
template <class Take>
bool each_backwards(const Request& request, std::string_view name, Take take) {
  bool any = false;
  for (auto at = request.headers.rbegin(); at != request.headers.rend(); ++at) {
    if (!equal_ignoring_case(at->first, name)) continue;
    any = true;
    if (!take(std::string_view(at->second))) break;
  }
  return any;
}

}  // namespace

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& entries) {
  TrustedProxies proxies;
  for (const std::string& entry : entries) {
    const std::string_view text = trim(entry);
    if (text.empty()) continue;
    Network network;
    if (!parse_network(text, network))
      return Error{ErrorCode::kBadInput, "http: trusted_proxies: not an address or network: " + entry};
    proxies.networks_.push_back(network);
  }
  return proxies;
}

bool TrustedProxies::trusts(const Address& address) const {
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const Network& network) { return network.contains(address); });
}

Address TrustedProxies::client(const Request& request, const Address& peer) const {
  Address current = peer;
  if (!trusts(peer)) return current;
  int hops = 0;
  // Follows one header's hops backwards; false when the client is found.
  auto follow = [&](std::string_view list, bool plain) {
    while (!list.empty()) {
      std::string_view hop = take_last(list);
      if (!plain) hop = forwarded_pair(hop, "for");
      Address next;
      if (++hops > kHopsMax || !parse_hop(hop, next)) return false;
      current = next;
      if (!trusts(current)) return false;
    }
    return true;
  };
  if (!each_backwards(request, "X-Forwarded-For", [&](std::string_view list) { return follow(list, true); }))
    each_backwards(request, "Forwarded", [&](std::string_view list) { return follow(list, false); });
  return current;
}

bool TrustedProxies::says_https(const Request& request) {
  bool secure = false;
  auto plain = [&](std::string_view list) {
    secure = equal_ignoring_case(take_last(list), "https");
    return false;
  };
  auto pair = [&](std::string_view list) {
    secure = equal_ignoring_case(forwarded_pair(take_last(list), "proto"), "https");
    return false;
  };
  if (!each_backwards(request, "X-Forwarded-Proto", plain)) each_backwards(request, "Forwarded", pair);
  return secure;
}

}  // namespace weir::http
