#include "load_driver/event_mix.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <boost/json.hpp>
#include <set>
#include <string>

namespace weir::bench {
namespace {

constexpr UnixMillis kNow = 1'763'629'200'123;  // 2025-11-20T09:00:00.123Z

struct Split {
  std::string head;
  std::string body;
};

// Splits a request and checks that Content-Length tells the truth.
Split split(std::string_view request) {
  const size_t end = request.find("\r\n\r\n");
  EXPECT_NE(end, std::string_view::npos);
  Split s{std::string(request.substr(0, end + 2)), std::string(request.substr(end + 4))};
  const size_t length = s.head.find("Content-Length: ");
  EXPECT_NE(length, std::string::npos);
  EXPECT_EQ(std::stoul(s.head.substr(length + 16)), s.body.size());
  return s;
}

std::string header(const std::string& head, const std::string& name) {
  const size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const size_t from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

TEST(EventMix, EverySingleEventIsOneObjectOfTheContract) {
  MixOptions o;
  o.ids = Ids::counter;
  o.id_prefix = "t";
  RequestPool pool(o);
  std::set<std::string> ids;
  std::set<std::string> types;
  for (uint64_t n = 0; n < 10'000; ++n) {
    const Split s = split(pool.request(n, kNow));
    EXPECT_EQ(header(s.head, "X-App"), "website");
    const boost::json::object event = boost::json::parse(s.body).as_object();
    types.emplace(event.at("type").as_string());
    ids.emplace(event.at("id").as_string());
    EXPECT_EQ(event.at("timestamp").as_string(), "2025-11-20T09:00:00.123Z");
    const size_t details = event.at("details").as_object().size();
    EXPECT_GE(details, 5u) << s.body;
    EXPECT_LE(details, 8u) << s.body;
    std::string expected;
    pool.append_id(expected, n);
    EXPECT_EQ(event.at("id").as_string(), expected);
  }
  EXPECT_EQ(ids.size(), 10'000u);
  for (const char* type : {"pageview", "click", "scroll", "purchase"}) EXPECT_TRUE(types.contains(type)) << type;
}

TEST(EventMix, BatchesAndLinesHoldAsManyEventsAsAsked) {
  MixOptions o;
  o.batch = 100;
  o.ids = Ids::uuid;
  RequestPool array(o);
  o.lines = true;
  RequestPool lines(o);
  std::set<std::string> ids;
  for (uint64_t n = 0; n < 200; ++n) {
    const auto parsed = boost::json::parse(split(array.request(n, kNow)).body).as_array();
    ASSERT_EQ(parsed.size(), 100u);
    for (size_t i = 0; i < parsed.size(); ++i) {
      const boost::json::object& event = parsed[i].as_object();
      std::string expected;
      array.append_id(expected, n * 100 + i);
      EXPECT_EQ(event.at("id").as_string(), expected);
      EXPECT_EQ(expected.size(), 36u);
      EXPECT_TRUE(event.contains("user_id") || event.contains("anonymous_id"));
      EXPECT_LE(event.at("timestamp").as_string(), "2025-11-20T09:00:00.123Z");
      ids.insert(expected);
    }
  }
  EXPECT_EQ(ids.size(), 20'000u);
  const std::string body = split(lines.request(7, kNow)).body;
  EXPECT_EQ(std::count(body.begin(), body.end(), '\n'), 99);
  for (size_t at = 0; at < body.size();) {
    const size_t end = std::min(body.find('\n', at), body.size());
    EXPECT_TRUE(boost::json::parse(body.substr(at, end - at)).is_object());
    at = end + 1;
  }
}

TEST(EventMix, SameOptionsSameRequests) {
  MixOptions o;
  o.batch = 10;
  o.ids = Ids::uuid;
  o.addresses = 1000;
  RequestPool a(o);
  RequestPool b(o);
  for (uint64_t n = 0; n < 3000; n += 7) EXPECT_EQ(a.request(n, kNow), b.request(n, kNow));
  const std::string first(a.request(5, kNow));
  static_cast<void>(a.request(6, kNow));
  EXPECT_EQ(a.request(5, kNow), first);
}

TEST(EventMix, GzipInflatesToTheSameBody) {
  MixOptions o;
  o.batch = 50;
  o.ids = Ids::counter;
  RequestPool plain(o);
  o.gzip = true;
  RequestPool packed(o);
  for (uint64_t n = 0; n < 50; ++n) {
    const std::string expected = split(plain.request(n, kNow)).body;
    const Split s = split(packed.request(n, kNow));
    EXPECT_EQ(header(s.head, "Content-Encoding"), "gzip");
    std::string out(expected.size() + 100, '\0');
    z_stream stream{};
    ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(s.body.data()));
    stream.avail_in = static_cast<uInt>(s.body.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    EXPECT_EQ(out, expected);
  }
}

TEST(EventMix, HistoryMovesEvenlyOverItsTime) {
  MixOptions o;
  o.history = History{kNow - 10 * kMillisPerDay, kNow, 100'000};
  RequestPool pool(o);
  std::set<std::string> days;
  for (uint64_t n = 0; n < 100'000; n += 100) {
    const boost::json::object event = boost::json::parse(split(pool.request(n, kNow)).body).as_object();
    const std::string time(event.at("timestamp").as_string());
    EXPECT_LE(time, "2025-11-20T09:00:00.123Z");
    days.insert(time.substr(0, 10));
  }
  EXPECT_GE(days.size(), 10u);
  EXPECT_LE(days.size(), 12u);  // a visit's earlier events may reach back a day
}

TEST(EventMix, AddressesAreAsManyAsAsked) {
  MixOptions o;
  o.addresses = 50;
  RequestPool pool(o);
  std::set<std::string> addresses;
  for (uint64_t n = 0; n < 20'000; ++n) addresses.insert(header(split(pool.request(n, kNow)).head, "X-Forwarded-For"));
  EXPECT_EQ(addresses.size(), 50u);
  EXPECT_EQ(addresses.begin()->size(), 15u);
}

TEST(EventMix, AFixedBodyIsSentAsItStands) {
  MixOptions o;
  o.body = "{\"type\":\"x\"}";
  RequestPool pool(o);
  EXPECT_EQ(split(pool.request(3, kNow)).body, o.body);
  EXPECT_FALSE(pool.has_ids());
}

}  // namespace
}  // namespace weir::bench
