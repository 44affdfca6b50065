// libraries: weir_http weir_base
//
// A request as a stranger sends it: what the scanner, the parser and the chunk decoder make of any bytes must not
// depend on how the bytes arrive, and what they accept must have one reading.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/check.h"
#include "weir/http/chunked.h"
#include "weir/http/head.h"
#include "weir/http/message.h"
#include "weir/http/proxies.h"
#include "weir/http/text.h"

namespace {

using namespace weir::http;

// Scans `bytes` as they would arrive in pieces of `step`.
HeadScanner::Found scan(HeadScanner& scanner, std::string_view bytes, size_t step) {
  HeadScanner::Found found = HeadScanner::Found::more;
  size_t have = 0;
  while (found == HeadScanner::Found::more && have < bytes.size()) {
    have = std::min(bytes.size(), have + step);
    found = scanner.scan(bytes.substr(0, have));
  }
  return found;
}

void check_head(std::string_view head) {
  Request request;
  Framing framing;
  std::string_view reason;
  if (parse_head(head, request, framing, reason) != HeadVerdict::ok) {
    WEIR_CHECK(!reason.empty());
    return;
  }
  WEIR_CHECK(!(framing.chunked && framing.content_length > 0));
  WEIR_CHECK(request.headers.size() <= kHeadersMax);
  WEIR_CHECK(request.path.size() + request.query.size() <= request.target.size());
  int hosts = 0;
  int lengths = 0;
  for (const auto& [name, value] : request.headers) {
    WEIR_CHECK(!name.empty());
    for (char c : name) WEIR_CHECK(is_token_char(c));
    for (char c : value) WEIR_CHECK(c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7F));
    WEIR_CHECK(value == trim(value));
    hosts += equal_ignoring_case(name, "Host") ? 1 : 0;
    lengths += equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding") ? 1 : 0;
  }
  WEIR_CHECK(hosts == 1 || (hosts == 0 && framing.http_1_0));
  WEIR_CHECK(lengths <= 1);
  std::string value;
  query_parameter(request.query, "app", value);
  static const auto proxies = TrustedProxies::parse({"10.0.0.0/8", "fd00::/8"});
  weir::Address peer;
  parse_address("10.0.0.1", peer);
  const std::string client = proxies->client(request, peer).text();
  WEIR_CHECK(!client.empty());
}

void check_chunks(std::string_view bytes) {
  constexpr uint64_t kBodyMax = 4096;
  std::string whole;
  std::string_view rest = bytes;
  ChunkedDecoder at_once;
  const auto state = at_once.decode(rest, whole, kBodyMax);
  WEIR_CHECK(whole.size() <= kBodyMax);
  std::string body;
  ChunkedDecoder by_byte;
  auto last = ChunkedDecoder::State::more;
  size_t used = 0;
  while (last == ChunkedDecoder::State::more && used < bytes.size()) {
    std::string_view one = bytes.substr(used, 1);
    last = by_byte.decode(one, body, kBodyMax);
    used += 1 - one.size();
  }
  WEIR_CHECK(last == state && body == whole && used == bytes.size() - rest.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HeadScanner scanner;
  const auto found = scan(scanner, bytes, bytes.size() + 1);
  for (size_t step : {size_t{1}, size_t{3}}) {
    HeadScanner other;
    WEIR_CHECK(scan(other, bytes, step) == found);
    if (found == HeadScanner::Found::head) WEIR_CHECK(other.size() == scanner.size());
  }
  if (found == HeadScanner::Found::head) {
    check_head(bytes.substr(0, scanner.size()));
    check_chunks(bytes.substr(scanner.size()));
  } else {
    check_chunks(bytes);
  }
  return 0;
}
