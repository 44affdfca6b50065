#include "weir/transfer/access_log.h"

#include <gtest/gtest.h>

#include "weir/base/files.h"

namespace weir::transfer {
namespace {

constexpr std::string_view kCombined =
    R"(192.0.2.1 - ann [10/Feb/2012:16:42:07 -0500] "GET /a?b=c HTTP/1.1" 200 368 "https://r.example/" "Mozilla/5.0 X11")";

LogLine parsed(std::string_view line, LogFormat format = LogFormat::automatic) {
  LogLine out;
  EXPECT_EQ(parse_line(line, format, out), LineFault::none) << line;
  return out;
}

LineFault fault_of(std::string_view line, LogFormat format = LogFormat::automatic) {
  LogLine out;
  return parse_line(line, format, out);
}

std::string with_time(std::string_view time) {
  return "192.0.2.1 - - [" + std::string(time) + "] \"GET / HTTP/1.1\" 200 1";
}

std::string unescaped(std::string_view field) {
  std::string out;
  append_unescaped(field, out);
  return out;
}

TEST(AccessLogLine, ReadsEveryFieldOfCombined) {
  LogLine line = parsed(kCombined);
  EXPECT_EQ(line.client, "192.0.2.1");
  EXPECT_EQ(line.user, "ann");
  EXPECT_EQ(line.clock, "10/Feb/2012:16:42:07 -0500");
  EXPECT_EQ(format_rfc3339(line.time), "2012-02-10T21:42:07.000Z");
  EXPECT_EQ(line.request, "GET /a?b=c HTTP/1.1");
  EXPECT_EQ(line.status, 200);
  EXPECT_TRUE(line.has_bytes);
  EXPECT_EQ(line.bytes, 368u);
  EXPECT_EQ(line.form, LineForm::combined);
  EXPECT_EQ(line.referrer, "https://r.example/");
  EXPECT_EQ(line.user_agent, "Mozilla/5.0 X11");
}

TEST(AccessLogLine, ReadsCommon) {
  LogLine line = parsed(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 -0500] "GET / HTTP/1.0" 301 -)");
  EXPECT_EQ(line.form, LineForm::common);
  EXPECT_EQ(line.user, "");
  EXPECT_EQ(line.status, 301);
  EXPECT_FALSE(line.has_bytes);
  EXPECT_EQ(line.referrer, "");
}

TEST(AccessLogLine, CommonDoesNotReadWhatFollows) {
  LogLine line = parsed(kCombined, LogFormat::common);
  EXPECT_EQ(line.form, LineForm::common);
  EXPECT_EQ(line.user_agent, "");
}

TEST(AccessLogLine, DashesAreEmpty) {
  LogLine line = parsed(R"(- - - [10/Feb/2012:16:42:07 +0000] "-" 408 - "-" "-")");
  EXPECT_EQ(line.client, "");
  EXPECT_EQ(line.request, "-");
  EXPECT_EQ(line.referrer, "");
  EXPECT_EQ(line.user_agent, "");
  EXPECT_EQ(line.form, LineForm::combined);
}

TEST(AccessLogLine, TakesIpv6AndHostNamesAsClients) {
  EXPECT_EQ(parsed(R"(2001:db8::7 - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/2.0" 200 1)").client, "2001:db8::7");
  EXPECT_EQ(parsed(R"(::ffff:192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/2.0" 200 1)").client,
            "::ffff:192.0.2.1");
  EXPECT_EQ(parsed(R"(crawl.example.net - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/2.0" 200 1)").client,
            "crawl.example.net");
}

TEST(AccessLogLine, UserNamesMayHoldSpacesAndBrackets) {
  EXPECT_EQ(parsed(R"(192.0.2.1 - ann lee [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" 200 1)").user, "ann lee");
  EXPECT_EQ(parsed(R"(192.0.2.1 - a [b] [c [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" 200 1)").user, "a [b] [c");
  EXPECT_EQ(parsed(R"(192.0.2.1 - "" [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" 401 1)").user, "");
}

TEST(AccessLogLine, EscapedQuotesDoNotEndAField) {
  LogLine line = parsed(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET /\"x\" HTTP/1.1" 200 1 "a\\" "say \"hi\"")");
  EXPECT_EQ(line.request, R"(GET /\"x\" HTTP/1.1)");
  EXPECT_EQ(line.referrer, R"(a\\)");
  EXPECT_EQ(line.user_agent, R"(say \"hi\")");
}

TEST(AccessLogLine, BareQuotesInARequestOfAnOldServer) {
  LogLine line = parsed(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET /?q="x" y" HTTP/1.0" 200 5 "-" "M")");
  EXPECT_EQ(line.request, R"(GET /?q="x" y" HTTP/1.0)");
  EXPECT_EQ(line.user_agent, "M");
}

TEST(AccessLogLine, EmptyQuotedFields) {
  LogLine line = parsed(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "" 400 0 "" "")");
  EXPECT_EQ(line.request, "");
  EXPECT_EQ(line.referrer, "");
  EXPECT_EQ(line.user_agent, "");
}

TEST(AccessLogLine, ExtraFieldsBehindAreTolerated) {
  EXPECT_EQ(parsed(std::string(kCombined) + R"( "203.0.113.9" 0.004 -)").user_agent, "Mozilla/5.0 X11");
  EXPECT_EQ(parsed(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" 200 1 0.004)").form,
            LineForm::common);
}

TEST(AccessLogLine, TrailingCarriageReturnIsNoPartOfIt) {
  EXPECT_EQ(parsed(std::string(kCombined) + "\r").user_agent, "Mozilla/5.0 X11");
  EXPECT_EQ(fault_of("\r"), LineFault::blank);
}

TEST(AccessLogLine, StatusMayBeMissing) {
  EXPECT_EQ(parsed(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" - 0)").status, 0);
  EXPECT_EQ(parsed(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" 000 0)").status, 0);
}

TEST(AccessLogLine, BytesUpToNineteenDigits) {
  EXPECT_EQ(parsed(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" 200 9999999999999999999)").bytes,
            9'999'999'999'999'999'999u);
  EXPECT_EQ(fault_of(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" 200 99999999999999999999)"),
            LineFault::no_bytes);
}

TEST(AccessLogLine, SaysWhatIsWrong) {
  EXPECT_EQ(fault_of(""), LineFault::blank);
  EXPECT_EQ(fault_of("  \t "), LineFault::blank);
  EXPECT_EQ(fault_of("# a comment"), LineFault::comment);
  EXPECT_EQ(fault_of("word"), LineFault::no_client);
  EXPECT_EQ(fault_of("two words"), LineFault::no_client);
  EXPECT_EQ(fault_of("three words here"), LineFault::no_client);
  EXPECT_EQ(fault_of(" - - [10/Feb/2012:16:42:07 +0000] \"GET / HTTP/1.1\" 200 1"), LineFault::no_client);
  EXPECT_EQ(fault_of("192.0.2.1 - - [yesterday] \"GET / HTTP/1.1\" 200 1"), LineFault::no_time);
  EXPECT_EQ(fault_of("192.0.2.1 - - ["), LineFault::no_time);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000"), LineFault::no_time);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000]"), LineFault::no_request);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] GET / 200 1"), LineFault::no_request);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] \"GET /"), LineFault::no_request);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] \"GET /\""), LineFault::no_status);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] \"GET /\" 20 1"), LineFault::no_status);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] \"GET /\" 2000 1"), LineFault::no_status);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] \"GET /\" 200"), LineFault::no_bytes);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] \"GET /\" 200 "), LineFault::no_bytes);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] \"GET /\" 200 x"), LineFault::no_bytes);
  EXPECT_EQ(fault_of("192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] \"GET /\" 200 1x"), LineFault::no_bytes);
}

TEST(AccessLogLine, CombinedWantsQuotedReferrerAndAgentOrNothing) {
  EXPECT_EQ(fault_of(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" 200 1 0.004)", LogFormat::combined),
            LineFault::no_referrer);
  EXPECT_EQ(fault_of(R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET / HTTP/1.1" 200 1)", LogFormat::combined),
            LineFault::none);
}

TEST(AccessLogLine, ALineCutShortInsideAFieldIsNotTaken) {
  std::string line(kCombined);
  EXPECT_EQ(fault_of(line.substr(0, line.size() - 1)), LineFault::cut_short);
  EXPECT_EQ(fault_of(line.substr(0, line.size() - 25)), LineFault::cut_short);
  EXPECT_EQ(fault_of(line.substr(0, line.size() - 1) + "\\\""), LineFault::cut_short);
}

TEST(AccessLogLine, NoPrefixOfALineIsTakenForMoreThanItIs) {
  std::string line(kCombined);
  LogLine whole = parsed(line);
  for (size_t size = 0; size < line.size(); ++size) {
    LogLine out;  // points into the line
    if (parse_line(std::string_view(line).substr(0, size), LogFormat::automatic, out) != LineFault::none) continue;
    EXPECT_EQ(out.time, whole.time);
    EXPECT_EQ(out.request, whole.request);
    EXPECT_EQ(out.form, LineForm::common) << size;
  }
}

TEST(AccessLogLine, LongLinesAreRefused) {
  std::string line = R"(192.0.2.1 - - [10/Feb/2012:16:42:07 +0000] "GET /)";
  line += std::string(kLineBytesMax, 'x');
  line += R"( HTTP/1.1" 414 1)";
  EXPECT_EQ(fault_of(line), LineFault::too_long);
}

TEST(AccessLogTime, ZonesAndLimits) {
  auto time_of = [](std::string_view time) { return format_rfc3339(parsed(with_time(time)).time); };
  EXPECT_EQ(time_of("01/Jan/1970:00:00:00 +0000"), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_of("31/Dec/1999:23:59:59 -0001"), "2000-01-01T00:00:59.000Z");
  EXPECT_EQ(time_of("01/Mar/2024:00:30:00 +0530"), "2024-02-29T19:00:00.000Z");
  EXPECT_EQ(time_of("29/Feb/2024:23:59:60 +0000"), "2024-03-01T00:00:00.000Z");
  EXPECT_EQ(time_of("10/feb/2012:16:42:07 +1400"), "2012-02-10T02:42:07.000Z");
}

TEST(AccessLogTime, EveryMonth) {
  const char* names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned m = 0; m < 12; ++m) {
    LogLine line = parsed(with_time("03/" + std::string(names[m]) + "/2015:00:00:00 +0000"));
    EXPECT_EQ(civil_from_days(day_of(line.time)).month, m + 1);
  }
}

TEST(AccessLogTime, WhatIsNoTime) {
  for (std::string_view time :
       {"00/Feb/2012:16:42:07 +0000", "32/Jan/2012:16:42:07 +0000", "30/Feb/2012:16:42:07 +0000",
        "29/Feb/2023:16:42:07 +0000", "29/Feb/1900:16:42:07 +0000", "10/Foo/2012:16:42:07 +0000",
        "10/Feb/2012:24:42:07 +0000", "10/Feb/2012:16:60:07 +0000", "10/Feb/2012:16:42:61 +0000",
        "10/Feb/2012:16:42:07 *0000", "10/Feb/2012:16:42:07 +2400", "10/Feb/2012:16:42:07 +0060",
        "10/Feb/2012:16:42:07", "1/Feb/2012:16:42:07 +0000", "10-Feb-2012:16:42:07 +0000", "10/Feb/-012:16:42:07 +0000",
        "2012-02-10T16:42:07+00:00"})
    EXPECT_EQ(fault_of(with_time(time)), LineFault::no_time) << time;
}

TEST(AccessLogRequest, TakesItApart) {
  RequestLine r;
  ASSERT_TRUE(parse_request("GET /a?b HTTP/1.1", r));
  EXPECT_EQ(r.method, "GET");
  EXPECT_EQ(r.target, "/a?b");
  EXPECT_EQ(r.protocol, "HTTP/1.1");
  ASSERT_TRUE(parse_request("GET /", r));
  EXPECT_EQ(r.target, "/");
  EXPECT_EQ(r.protocol, "");
  ASSERT_TRUE(parse_request("GET /a b c.html HTTP/2.0", r));
  EXPECT_EQ(r.target, "/a b c.html");
  ASSERT_TRUE(parse_request("CONNECT example.com:443 HTTP/1.1", r));
  ASSERT_TRUE(parse_request("OPTIONS * HTTP/1.1", r));
  ASSERT_TRUE(parse_request("GET http://example.com/ HTTP/1.1", r));
  ASSERT_TRUE(parse_request("M-SEARCH * HTTP/1.1", r));
}

TEST(AccessLogRequest, KnowsWhatIsNone) {
  RequestLine r;
  for (std::string_view request :
       {"", "-", "hello", "GET", "GET ", " / HTTP/1.1", "GET HTTP/1.1", "\x16\x03\x01", "\x03 / HTTP/1.1",
        "hello world", "G3T / HTTP/1.1", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1"})
    EXPECT_FALSE(parse_request(request, r)) << request;
}

TEST(AccessLogText, UndoesBothServersEscapes) {
  EXPECT_EQ(unescaped(R"(\x22quoted\x22)"), "\"quoted\"");
  EXPECT_EQ(unescaped(R"(\"quoted\" \\ \t\n\r\b\v\f)"), "\"quoted\" \\ \t\n\r\b\v\f");
  EXPECT_EQ(unescaped(R"(caf\xC3\xA9)"), "café");
  EXPECT_EQ(unescaped(R"(caf\xc3\xa9)"), "café");
}

TEST(AccessLogText, LeavesWhatIsNoEscape) {
  EXPECT_EQ(unescaped(R"(C:\dir \x \xZZ \x4 end\)"), R"(C:\dir \x \xZZ \x4 end\)");
  EXPECT_EQ(unescaped("plain"), "plain");
  EXPECT_EQ(unescaped(""), "");
}

TEST(AccessLogText, IsAlwaysValidUtf8) {
  EXPECT_EQ(unescaped(R"(caf\xE9!)"), "caf\xEF\xBF\xBD!");
  EXPECT_EQ(unescaped("caf\xE9!"), "caf\xEF\xBF\xBD!");
  EXPECT_EQ(unescaped(R"(\xED\xA0\x80)"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  EXPECT_EQ(unescaped(R"(\xC0\xAF)"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(unescaped(R"(\xF4\x90\x80\x80)"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(unescaped(R"(\xF0\x9F\x98\x80)"), "\xF0\x9F\x98\x80");
  EXPECT_EQ(unescaped(R"(\xE2\x82)"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(unescaped(R"(a\x00b)"), std::string_view("a\0b", 3));
}

TEST(AccessLogPage, KnowsPagesByTheirExtension) {
  for (std::string_view page :
       {"/", "", "/about", "/about/", "/index.html", "/INDEX.HTM", "/a.php", "/a.aspx", "/x.jsp", "/v1.2/docs",
        "/releases/v1.2", "/releases/10.0.1", "/cgi-bin/a.cgi", "/blog.d/post"})
    EXPECT_TRUE(is_page(page)) << page;
  for (std::string_view asset :
       {"/favicon.ico", "/a.css", "/a.js", "/a.PNG", "/feed.xml", "/robots.txt", "/a.tar.gz", "/.env", "/.git/.x",
        "/a.json", "/a.woff2", "/index.html.bak", "/download.verylongextension"})
    EXPECT_FALSE(is_page(asset)) << asset;
}

TEST(AccessLogPage, KnowsPartsOfPages) {
  for (std::string_view asset : {"/favicon.ico", "/a/b.css", "/app.3f2a.js", "/a.PNG", "/f.woff2", "/x.webmanifest"})
    EXPECT_TRUE(is_asset(asset)) << asset;
  for (std::string_view other :
       {"/", "/about", "/feed.xml", "/robots.txt", "/data.json", "/manual.pdf", "/a.css/", "/css"})
    EXPECT_FALSE(is_asset(other)) << other;
}

TEST(AccessLogFormat, NamesAndGuesses) {
  for (LogFormat f : kLogFormats) {
    LogFormat read = LogFormat::automatic;
    ASSERT_TRUE(parse_log_format(name_of(f), read));
    EXPECT_EQ(read, f);
  }
  LogFormat format = LogFormat::automatic;
  EXPECT_FALSE(parse_log_format("haproxy", format));
  EXPECT_FALSE(parse_log_format("", format));
  ASSERT_TRUE(parse_log_format("iis", format));
  EXPECT_EQ(format, LogFormat::w3c);
  ASSERT_TRUE(parse_log_format("caddy", format));
  EXPECT_EQ(format, LogFormat::json);
  EXPECT_EQ(resembles("Sep 25 06:05:27 host haproxy[6801]: 192.0.2.1:55008 [25/Sep/2018:06:05:27.584] ft"), "HAProxy");
  EXPECT_EQ(resembles("nothing known"), "");
}

TEST(AccessLogFiles, EveryLineWrittenByServersIsRead) {
  for (const char* name : {"nginx.log", "apache.log"}) {
    auto text = read_file(real_files(), std::string(WEIR_TESTS_DIR) + "/data/weblogs/" + name);
    ASSERT_TRUE(text) << text.error().message;
    size_t lines = 0;
    for (std::string_view rest = *text; !rest.empty();) {
      size_t end = rest.find('\n');
      parsed(rest.substr(0, end));
      ++lines;
      rest.remove_prefix(end + 1);
    }
    EXPECT_GE(lines, 7u);
  }
}

}  // namespace
}  // namespace weir::transfer
