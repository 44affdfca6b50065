// libraries: weir_collect weir_event simdjson::simdjson Boost::json
//
// A capture body as a stranger sends it. Whatever the bytes: events that are taken have records that read back the
// same, one bad event never costs its neighbours, messages are short and clean, and what is JSON agrees with two other
// parsers.

#include <simdjson.h>

#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "weir/base/check.h"
#include "weir/collect/intake.h"
#include "weir/collect/native.h"
#include "weir/event/json.h"
#include "weir/event/record.h"

namespace {

using namespace weir;

class Copying final : public collect::EventSink {
 public:
  bool take(const collect::SentEvent& sent) override {
    event::Event e = sent.event;
    e.project_id = ProjectId{1};
    auto stamped = collect::stamp(1'763'629'260'123, sent.client_time, sent.sent_at);
    e.time = stamped.time;
    e.time_rule = stamped.rule;
    std::string record;
    event::append_record(e, record);
    auto again = parser_.parse(record);
    WEIR_CHECK(again.has_value());
    WEIR_CHECK(again->name == e.name && !e.name.empty() && again->title == e.title && again->url == e.url);
    WEIR_CHECK(again->properties == e.properties && again->extra == e.extra && again->user_id == e.user_id);
    WEIR_CHECK(again->revenue_amount == e.revenue_amount && again->revenue_currency == e.revenue_currency);
    std::string second;
    event::append_record(*again, second);
    WEIR_CHECK(second == record);
    WEIR_CHECK(simdjson::validate_utf8(record.data(), record.size()));
    WEIR_CHECK(taken.emplace(sent.index, record).second);
    return true;
  }
  bool reject(size_t index, Error error) override {
    WEIR_CHECK(error.message.size() < 400);
    WEIR_CHECK(simdjson::validate_utf8(error.message.data(), error.message.size()));
    WEIR_CHECK(rejected.emplace(index, error.message).second);
    return true;
  }
  std::map<size_t, std::string> taken;
  std::map<size_t, std::string> rejected;

 private:
  event::RecordParser parser_;
};

collect::NativeDecoder& decoder() {
  static collect::NativeDecoder one;
  return one;
}

bool not_json(const Error& error) { return error.message.find("not JSON") != std::string::npos; }

// Boost knows no JSON beyond its limits of depth and exponent, and takes no half surrogate pair.
bool boost_calls_it_malformed(std::string_view text) {
  if (text.find("\\ud") != std::string_view::npos || text.find("\\uD") != std::string_view::npos) return false;
  boost::json::parse_options options;
  options.max_depth = 100'000;
  boost::json::error_code error;
  boost::json::parse(text, error, {}, options);
  return error == boost::json::error::syntax || error == boost::json::error::extra_data ||
         error == boost::json::error::incomplete;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  collect::NativeRules rules;
  rules.lines = (data[0] & 1) != 0;
  rules.app_in_event = (data[0] & 2) != 0;
  rules.may_name_visitor = (data[0] & 4) != 0;
  rules.event_bytes_max = (data[0] & 8) != 0 ? 64 : 64 * 1024;
  std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);

  Copying sink;
  auto shape = decoder().decode(body, rules, sink);
  bool utf8 = simdjson::validate_utf8(body.data(), body.size());
  bool mark = body.starts_with("\xef\xbb\xbf");

  if (!shape) {
    WEIR_CHECK(shape.error().message.size() < 400);
    simdjson::dom::parser reference;
    simdjson::dom::element root;
    if (!mark && not_json(shape.error())) WEIR_CHECK(reference.parse(simdjson::padded_string(body)).get(root) != 0);
    return 0;
  }
  for (size_t i = 0; i < sink.taken.size() + sink.rejected.size(); ++i) {
    WEIR_CHECK(sink.taken.count(i) + sink.rejected.count(i) == 1);
  }
  if (*shape != collect::Shape::one) return 0;
  WEIR_CHECK(sink.taken.size() + sink.rejected.size() == 1);
  if (utf8 && !mark) WEIR_CHECK(!boost_calls_it_malformed(body));

  if (mark) return 0;
  std::string_view good = R"({"type":"t","details":{"a":1}})";
  std::string batch = "[" + std::string(good) + "," + std::string(body) + "," + std::string(good) + "]";
  Copying among;
  auto many = decoder().decode(batch, rules, among);
  WEIR_CHECK(many.has_value() && *many == collect::Shape::many);
  WEIR_CHECK(among.taken.count(0) == 1 && among.taken.count(2) == 1);
  WEIR_CHECK(among.taken[0] == among.taken[2]);
  WEIR_CHECK(among.taken.count(1) == sink.taken.size());
  if (!sink.taken.empty()) WEIR_CHECK(among.taken[1] == sink.taken[0]);
  return 0;
}
