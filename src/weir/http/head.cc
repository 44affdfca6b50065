#include "weir/http/head.h"

#include <boost/beast/http/basic_parser.hpp>
#include <cstring>

#include "weir/http/text.h"

namespace weir::http {

namespace beast = boost::beast;

HeadScanner::Found HeadScanner::scan(std::string_view bytes) {
  if (!bytes.empty() && !is_token_char(bytes.front())) return Found::bad;
  for (;;) {
    if (line_ > 0 && line_ < bytes.size() && (bytes[line_] == ' ' || bytes[line_] == '\t')) return Found::bad;
    const auto* newline = static_cast<const char*>(std::memchr(bytes.data() + at_, '\n', bytes.size() - at_));
    if (newline == nullptr) {
      at_ = bytes.size();
      return Found::more;
    }
    const auto end = static_cast<size_t>(newline - bytes.data());
    if (end == 0 || bytes[end - 1] != '\r') return Found::bad;
    const bool empty_line = end - 1 == line_;
    at_ = line_ = end + 1;
    if (empty_line) return Found::head;
  }
}

namespace {

Method method_of(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get:
      return Method::get;
    case beast::http::verb::head:
      return Method::head;
    case beast::http::verb::post:
      return Method::post;
    case beast::http::verb::put:
      return Method::put;
    case beast::http::verb::patch:
      return Method::patch;
    case beast::http::verb::delete_:
      return Method::del;
    case beast::http::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

bool is_target(Method method, std::string_view target) {
  // Absolute targets, fragments and bytes that a URL must escape are all read in two ways somewhere.
  if (target == "*") return method == Method::options;
  if (target.empty() || target.front() != '/') return false;
  for (char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7F || c == '#') return false;
  }
  return true;
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 255 + 6) return false;
  for (char c : host)
    if (!(is_token_char(c) || c == ':' || c == '[' || c == ']')) return false;
  return true;
}

// Beast splits the head into lines, names and values and refuses malformed ones: names that are no token, space before
// the colon, bare CR or LF, control characters. What it lets pass and we do not: repeated or listed Content-Length,
// a Transfer-Encoding that is not plainly "chunked" (it then reads no body at all), folded lines (refused by the
// scanner), repeated single headers, a missing Host, odd targets.
class HeadParser final : public beast::http::basic_parser<true> {
 public:
  HeadParser(Request& request, Framing& framing) : request_(request), framing_(framing) {
    body_limit(boost::none);
    header_limit(UINT32_MAX);  // the connection keeps the limit
  }

  HeadVerdict verdict() const { return verdict_; }
  std::string_view reason() const { return reason_; }

  // What can only be judged once all fields are known.
  void finish() {
    if (!framing_.http_1_0 && !seen(kHost)) refuse(HeadVerdict::bad, "the Host header is missing");
    if (seen(kTransferEncoding)) {
      if (seen(kContentLength)) refuse(HeadVerdict::bad, "both Content-Length and Transfer-Encoding");
      if (framing_.http_1_0) refuse(HeadVerdict::bad, "Transfer-Encoding in HTTP/1.0");
    }
    framing_.keep_alive = framing_.http_1_0 ? asked_keep_ && !asked_close_ : !asked_close_;
    // HTTP/1.0 knows no 100 (Continue): such an Expect is to be ignored.
    if (framing_.http_1_0) framing_.expects_continue = false;
  }

 private:
  enum Single : unsigned {
    kHost = 1,
    kContentLength = 2,
    kTransferEncoding = 4,
    kContentType = 8,
    kContentEncoding = 16,
    kAuthorization = 32,
    kOrigin = 64,
    kExpect = 128,
  };
  static unsigned single(beast::http::field field) {
    switch (field) {
      case beast::http::field::host:
        return kHost;
      case beast::http::field::content_length:
        return kContentLength;
      case beast::http::field::transfer_encoding:
        return kTransferEncoding;
      case beast::http::field::content_type:
        return kContentType;
      case beast::http::field::content_encoding:
        return kContentEncoding;
      case beast::http::field::authorization:
        return kAuthorization;
      case beast::http::field::origin:
        return kOrigin;
      case beast::http::field::expect:
        return kExpect;
      default:
        return 0;
    }
  }
  bool seen(unsigned which) const { return (seen_ & which) != 0; }

  // The first fault found is the one told.
  void refuse(HeadVerdict verdict, std::string_view reason) {
    if (verdict_ != HeadVerdict::ok) return;
    verdict_ = verdict;
    reason_ = reason;
  }

  void on_request_impl(beast::http::verb verb, beast::string_view, beast::string_view target, int version,
                       beast::error_code&) override {
    request_.method = method_of(verb);
    request_.target = {target.data(), target.size()};
    framing_.http_1_0 = version == 10;
    if (!is_target(request_.method, request_.target)) refuse(HeadVerdict::bad, "not an acceptable request target");
    const size_t question = request_.target.find('?');
    request_.path = request_.target.substr(0, question);
    request_.query = question == std::string_view::npos ? std::string_view() : request_.target.substr(question + 1);
  }

  void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                     beast::error_code&) override {
    const std::string_view text(value.data(), value.size());
    request_.headers.emplace_back(std::string_view(name.data(), name.size()), text);
    if (request_.headers.size() > kHeadersMax) refuse(HeadVerdict::too_many, "too many headers");
    if (field == beast::http::field::connection) return read_connection(text);
    const unsigned which = single(field);
    if (which == 0) return;
    if (seen(which)) refuse(HeadVerdict::bad, "a header that must be single is repeated");
    seen_ |= which;
    switch (which) {
      case kHost:
        if (!is_host(text)) refuse(HeadVerdict::bad, "not an acceptable Host");
        break;
      case kContentLength:
        if (!parse_decimal(text, framing_.content_length)) refuse(HeadVerdict::bad, "Content-Length is not a number");
        break;
      case kTransferEncoding:
        // "chunked" alone has one reading; any list is either an attack or something we do not undo.
        if (!equal_ignoring_case(text, "chunked"))
          refuse(HeadVerdict::bad, "of Transfer-Encoding only chunked is taken");
        framing_.chunked = true;
        break;
      case kExpect:
        if (!equal_ignoring_case(text, "100-continue")) refuse(HeadVerdict::expectation, "an Expect we do not know");
        framing_.expects_continue = true;
        break;
      default:
        break;
    }
  }

  void read_connection(std::string_view list) {
    while (!list.empty()) {
      const size_t comma = list.find(',');
      const std::string_view token = trim(list.substr(0, comma));
      if (equal_ignoring_case(token, "close")) asked_close_ = true;
      if (equal_ignoring_case(token, "keep-alive")) asked_keep_ = true;
      list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
  }

  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
  size_t on_body_impl(beast::string_view, beast::error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
  size_t on_chunk_body_impl(std::uint64_t, beast::string_view, beast::error_code&) override { return 0; }
  void on_finish_impl(beast::error_code&) override {}

  Request& request_;
  Framing& framing_;
  unsigned seen_ = 0;
  bool asked_close_ = false;
  bool asked_keep_ = false;
  HeadVerdict verdict_ = HeadVerdict::ok;
  std::string_view reason_;
};

}  // namespace

HeadVerdict parse_head(std::string_view bytes, Request& request, Framing& framing, std::string_view& reason) {
  request.headers.clear();
  framing = {};
  HeadParser parser(request, framing);
  beast::error_code error;
  const size_t used = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  parser.finish();
  reason = parser.reason();
  if (parser.verdict() != HeadVerdict::ok) return parser.verdict();
  if (error || used != bytes.size() || !parser.is_header_done()) {
    reason = "not a well-formed request";
    return HeadVerdict::bad;
  }
  return HeadVerdict::ok;
}

}  // namespace weir::http
