#include "weir/transfer/log_parser.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "weir/base/files.h"
#include "weir/transfer/scan.h"

namespace weir::transfer {
namespace {

class LogParserTest : public ::testing::Test {
 protected:
  LogLine parsed(std::string_view line) {
    LogLine out;
    text_.assign(line);
    EXPECT_EQ(name_of(parser_->parse(text_, out)), name_of(LineFault::none)) << line;
    return out;
  }
  LineFault fault_of(std::string_view line) {
    LogLine out;
    text_.assign(line);
    return parser_->parse(text_, out);
  }
  void use(LogFormat format) { parser_ = std::make_unique<LogParser>(format); }

  std::string text_;
  std::unique_ptr<LogParser> parser_ = std::make_unique<LogParser>(LogFormat::automatic);
};

TEST_F(LogParserTest, AVirtualHostBeforeTheClient) {
  LogLine line = parsed(
      R"(Shop.Example:443 192.0.2.1 - ann lee [10/Feb/2012:16:42:07 -0500] "GET /a?b HTTP/1.1" 200 368 "-" "M")");
  EXPECT_EQ(line.form, LineForm::vhost);
  EXPECT_EQ(line.host, "Shop.Example:443");
  EXPECT_EQ(line.scheme, "https");
  EXPECT_EQ(line.client, "192.0.2.1");
  EXPECT_EQ(line.user, "ann lee");
  EXPECT_EQ(line.request, "GET /a?b HTTP/1.1");
  EXPECT_EQ(line.user_agent, "M");

  line = parsed(R"(shop.example 2001:db8::1 - - [10/Feb/2012:16:42:07 -0500] "GET / HTTP/1.1" 200 -)");
  EXPECT_EQ(line.form, LineForm::vhost);
  EXPECT_EQ(line.client, "2001:db8::1");
  EXPECT_EQ(line.scheme, "");
  EXPECT_EQ(line.user_agent, "");

  use(LogFormat::vhost);
  line = parsed(R"(shop.example:80 client.example.net - - [10/Feb/2012:16:42:07 -0500] "GET / HTTP/1.1" 200 -)");
  EXPECT_EQ(line.client, "client.example.net");
  EXPECT_EQ(line.scheme, "http");
  EXPECT_EQ(fault_of(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 -0500] "GET / HTTP/1.1" 200 -)"), LineFault::no_client);
}

TEST_F(LogParserTest, AnAddressWithAnAddressForIdentIsNoVirtualHost) {
  LogLine line = parsed(R"(192.0.2.1 192.0.2.7 - - [10/Feb/2012:16:42:07 -0500] "GET / HTTP/1.1" 200 5)");
  EXPECT_EQ(line.form, LineForm::common);
  EXPECT_EQ(line.client, "192.0.2.1");
}

TEST_F(LogParserTest, JsonOfNginx) {
  LogLine line = parsed(
      R"({"time_iso8601":"2026-03-01T10:00:00+02:00","remote_addr":"192.0.2.1","remote_user":"ann","request_method":"GET",)"
      R"("request_uri":"\/caf\u00e9?a=1&b=\"2\"","uri":"/index.html","server_protocol":"HTTP/2.0","status":"200",)"
      R"("body_bytes_sent":512,"http_referer":"-","http_user_agent":"Mozilla\/5.0 \\x","host":"shop.example","scheme":"https"})");
  EXPECT_EQ(line.form, LineForm::json);
  EXPECT_TRUE(line.is_decoded);
  EXPECT_EQ(format_rfc3339(line.time), "2026-03-01T08:00:00.000Z");
  EXPECT_EQ(line.clock, "2026-03-01T10:00:00+02:00");
  EXPECT_EQ(line.client, "192.0.2.1");
  EXPECT_EQ(line.user, "ann");
  EXPECT_EQ(line.request, "GET /caf\xC3\xA9?a=1&b=\"2\" HTTP/2.0");
  EXPECT_EQ(line.status, 200);
  EXPECT_EQ(line.bytes, 512u);
  EXPECT_EQ(line.referrer, "");
  EXPECT_EQ(line.user_agent, "Mozilla/5.0 \\x");
  EXPECT_EQ(line.host, "shop.example");
  EXPECT_EQ(line.scheme, "https");
}

TEST_F(LogParserTest, JsonWithAWholeRequestOrWithoutMethod) {
  EXPECT_EQ(parsed(R"({"msec":1772359200.123,"request":"POST /x HTTP/1.1","status":404})").request, "POST /x HTTP/1.1");
  EXPECT_EQ(parsed(R"({"date":"2026-03-01","time":"2026-03-01 10:00:00","path":"/x"})").request, "GET /x HTTP/1.1");
  EXPECT_EQ(parsed(R"({"time_local":"10/Feb/2012:16:42:07 -0500","uri":"/x","args":"a=1"})").request,
            "GET /x?a=1 HTTP/1.1");
}

TEST_F(LogParserTest, JsonOfCaddy) {
  LogLine line = parsed(
      R"({"level":"info","ts":1772359200.5678,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.9",)"
      R"("client_ip":"192.0.2.1","proto":"HTTP/2.0","method":"GET","host":"Shop.example:8443","uri":"/a?b=c","headers":)"
      R"({"Accept":["*/*"],"User-Agent":["Mozilla/5.0","second"],"Referer":["https://r.example/"]},"tls":{"version":772}},)"
      R"("user_id":"","duration":0.1,"size":368,"status":304,"resp_headers":{"Server":["Caddy"]}})");
  EXPECT_EQ(format_rfc3339(line.time), "2026-03-01T10:00:00.567Z");
  EXPECT_EQ(line.client, "192.0.2.1");
  EXPECT_EQ(line.request, "GET /a?b=c HTTP/2.0");
  EXPECT_EQ(line.host, "Shop.example:8443");
  EXPECT_EQ(line.scheme, "https");
  EXPECT_EQ(line.user_agent, "Mozilla/5.0");
  EXPECT_EQ(line.referrer, "https://r.example/");
  EXPECT_EQ(line.status, 304);
  EXPECT_EQ(line.bytes, 368u);
  EXPECT_EQ(line.user, "");
}

TEST_F(LogParserTest, TimesOfJsonInAllTheirUnits) {
  for (std::string_view time :
       {"1772359200", "1772359200.000", "1772359200000", "1772359200000000", "1772359200000000000", "\"1772359200\"",
        "\"2026-03-01T10:00:00Z\"", "\"01/Mar/2026:10:00:00 +0000\""})
    EXPECT_EQ(format_rfc3339(parsed(fmt::format(R"({{"ts":{},"uri":"/"}})", time)).time), "2026-03-01T10:00:00.000Z")
        << time;
  for (std::string_view time : {"null", "\"\"", "\"yesterday\"", "-5", "true", "[]", "{}", "\"2026-02-30T10:00:00Z\"",
                                "\"1.2.3\"", "99999999999999999999999"})
    EXPECT_EQ(fault_of(fmt::format(R"({{"ts":{},"uri":"/"}})", time)), LineFault::no_named_time) << time;
}

TEST_F(LogParserTest, PortsOfClientsAreNoPartOfThem) {
  for (auto [written, address] : {std::pair{"192.0.2.1:4711", "192.0.2.1"},
                                  {"[2001:db8::1]:4711", "2001:db8::1"},
                                  {"2001:db8::1", "2001:db8::1"},
                                  {"[2001:db8::1", "2001:db8::1"}})
    EXPECT_EQ(parsed(fmt::format(R"({{"ts":1,"uri":"/","remote_addr":"{}"}})", written)).client, address) << written;
}

TEST_F(LogParserTest, SaysWhatAJsonLineLacks) {
  EXPECT_EQ(fault_of(R"({"ts":1772359200,"msg":"server running"})"), LineFault::no_named_request);
  EXPECT_EQ(fault_of(R"({"uri":"/"})"), LineFault::no_named_time);
  for (std::string_view broken :
       {R"({"ts":1772359200,"uri":"/")", R"({"ts":1772359200,"uri":"/"}})", R"({"ts":01})", R"({"ts")", R"({)",
        R"({"a":{"b":[}})", R"({"ts":1,"uri":"/"} {"ts":1,"uri":"/"})", "{\"uri\":\"\x01\"}"})
    EXPECT_EQ(fault_of(broken), LineFault::no_json) << broken;
  use(LogFormat::json);
  EXPECT_EQ(fault_of("[]"), LineFault::no_json);
  EXPECT_EQ(fault_of("192.0.2.1 - -"), LineFault::no_json);
  EXPECT_EQ(fault_of(""), LineFault::blank);
}

TEST_F(LogParserTest, BytesThatAreNotUtf8BecomeReplacements) {
  EXPECT_EQ(parsed("{\"ts\":1,\"uri\":\"/caf\xE9\"}").request, "GET /caf\xEF\xBF\xBD HTTP/1.1");
}

constexpr std::string_view kCloudFront =
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    "cs(User-Agent) cs-uri-query x-host-header cs-protocol cs-protocol-version";

TEST_F(LogParserTest, W3cOfCloudFront) {
  EXPECT_EQ(fault_of("#Version: 1.0"), LineFault::comment);
  EXPECT_EQ(fault_of(kCloudFront), LineFault::comment);
  LogLine line = parsed(
      "2026-03-01\t10:00:00\tFRA2\t182\t192.0.2.10\tGET\td1.cloudfront.net\t/view/my%20file.html\t200\thttps://"
      "r.example/%25\t"
      "Mozilla/5.0%20(X11;%20Linux)\ta=1&b=%20\tshop.example\thttps\tHTTP/2.0");
  EXPECT_EQ(line.form, LineForm::w3c);
  EXPECT_EQ(format_rfc3339(line.time), "2026-03-01T10:00:00.000Z");
  EXPECT_EQ(line.clock, "2026-03-01 10:00:00");
  EXPECT_EQ(line.client, "192.0.2.10");
  EXPECT_EQ(line.request, "GET /view/my%20file.html?a=1&b=%20 HTTP/2.0");
  EXPECT_EQ(line.host, "shop.example");
  EXPECT_EQ(line.scheme, "https");
  EXPECT_EQ(line.user_agent, "Mozilla/5.0 (X11; Linux)");
  EXPECT_EQ(line.referrer, "https://r.example/%");
  EXPECT_EQ(line.status, 200);
  EXPECT_EQ(line.bytes, 182u);
  // Encoded twice, as it was until 2019.
  EXPECT_EQ(parsed("2026-03-01\t10:00:00\tFRA2\t1\t192.0.2.10\tGET\td1\t/\t000\t-\tMozilla/"
                   "5.0%2520(X11)\t-\tshop.example\thttps\t-")
                .user_agent,
            "Mozilla/5.0 (X11)");
}

TEST_F(LogParserTest, W3cOfIis) {
  use(LogFormat::w3c);
  EXPECT_EQ(fault_of("2026-03-01 10:00:00 192.0.2.1"), LineFault::no_fields);
  EXPECT_EQ(
      fault_of("#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
               "cs(Cookie) cs(Referer) sc-status time-taken"),
      LineFault::comment);
  LogLine line = parsed(
      R"(2026-03-01 10:00:00 192.0.2.7 GET /shop/ - 443 ann 192.0.2.1 Mozilla/5.0+(X11;+U) "a=b; c=d" - 301 16)");
  EXPECT_EQ(line.client, "192.0.2.1");
  EXPECT_EQ(line.user, "ann");
  EXPECT_EQ(line.request, "GET /shop/ HTTP/1.1");
  EXPECT_EQ(line.user_agent, "Mozilla/5.0 (X11; U)");
  EXPECT_EQ(line.referrer, "");
  EXPECT_EQ(line.scheme, "https");
  EXPECT_FALSE(line.has_bytes);
  EXPECT_EQ(fault_of("2026-03-01 10:00:00 192.0.2.7 GET /shop/ - 443 ann"), LineFault::other_fields);
  EXPECT_EQ(fault_of(R"(2026-03-01 10:00:00 192.0.2.7 GET /shop/ - 443 ann 192.0.2.1 M "a=b; c)"),
            LineFault::cut_short);
  EXPECT_EQ(fault_of("2026-02-30 10:00:00 s GET / - 443 - 192.0.2.1 M - - 200 16"), LineFault::no_named_time);
  EXPECT_EQ(fault_of("2026-02-20 10:00:00 s - / - 443 - 192.0.2.1 M - - 200 16"), LineFault::none);
  // The names change within a file when the server's settings do.
  EXPECT_EQ(fault_of("#Fields: date time c-ip cs-method cs-uri-stem sc-status"), LineFault::comment);
  EXPECT_EQ(parsed("2026-03-01 10:00:00 192.0.2.2 POST / 200").client, "192.0.2.2");
}

TEST_F(LogParserTest, FieldsMayBeGivenForTheMiddleOfAFile) {
  parser_->set_fields(" date time c-ip cs-method cs-uri-stem sc-status");
  EXPECT_EQ(parsed("2026-03-01 10:00:00 192.0.2.2 GET /a 200").request, "GET /a HTTP/1.1");
}

TEST_F(LogParserTest, NamesOfFieldsHaveALimit) {
  std::string line = "#Fields:" + std::string(LogParser::kFieldsBytesMax, 'x');
  EXPECT_TRUE(LogParser::fields_of(line));
  line.push_back('x');
  EXPECT_FALSE(LogParser::fields_of(line));
  EXPECT_FALSE(LogParser::fields_of("#Version: 1.0"));
}

TEST_F(LogParserTest, OneFileMayHoldSeveralFormats) {
  EXPECT_EQ(parsed(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 -0500] "GET / HTTP/1.1" 200 5 "-" "M")").form,
            LineForm::combined);
  EXPECT_EQ(parsed(R"({"ts":1,"uri":"/"})").form, LineForm::json);
  EXPECT_EQ(parsed(R"(a.example 192.0.2.1 - - [10/Feb/2012:16:42:07 -0500] "GET / HTTP/1.1" 200 5)").form,
            LineForm::vhost);
}

// Samples by others; every line that is a request is read.
TEST_F(LogParserTest, RecordedSamplesAreRead) {
  const char* data = std::getenv("WEIR_TEST_DATA");  // NOLINT(concurrency-mt-unsafe): nobody writes it
  if (data == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  struct Sample {
    const char* name;
    LineForm form;
    uint64_t lines;
  };
  for (const Sample& sample : {Sample{"amazon_cloudfront_web.log", LineForm::w3c, 1},
                               {"caddy_json.log", LineForm::json, 3},
                               {"common.log", LineForm::common, 1},
                               {"common_complete.log", LineForm::vhost, 1},
                               {"common_vhost.log", LineForm::vhost, 1},
                               {"iis.log", LineForm::w3c, 1},
                               {"nginx_json.log", LineForm::json, 2},
                               {"ncsa_extended.log", LineForm::combined, 1},
                               {"static_ignores.log", LineForm::vhost, 4}}) {
    auto text = read_file(real_files(), fmt::format("{}/data/weblogs/formats/{}", data, sample.name));
    ASSERT_TRUE(text) << text.error().message;
    ImportSummary summary;
    LogParser parser(LogFormat::automatic);
    LineEvents events;
    scan_lines(*text, parser, TimeWindow::at(1'790'000'000'000, 0), summary,
               [&](uint64_t, std::string_view, const LogLine& line) {
                 const event::Event& event = events.make(line, {});
                 EXPECT_FALSE(event.path.empty()) << sample.name;
                 EXPECT_NE(line.client, "") << sample.name;
                 EXPECT_EQ(line.user_agent.find("%20"), std::string_view::npos);
                 bool names_host = line.form != LineForm::common && line.form != LineForm::combined;
                 EXPECT_EQ(event.hostname.empty(), !names_host) << sample.name;
                 return true;
               });
    EXPECT_EQ(summary.forms[static_cast<size_t>(sample.form)], sample.lines) << sample.name;
    EXPECT_EQ(summary.skipped[static_cast<size_t>(Skip::unreadable)], 0u) << sample.name;
  }
}

}  // namespace
}  // namespace weir::transfer
