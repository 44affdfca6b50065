#include "weir/enrich/enricher.h"

#include <arpa/inet.h>
#include <simdjson.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <charconv>
#include <cstring>
#include <deque>

#include "weir/event/url.h"

namespace weir::enrich {

namespace {
// Advertising networks' click ids, by the parameter that carries them.
constexpr std::string_view kClickIds[] = {"gclid",  "gbraid", "wbraid", "dclid",     "msclkid",
                                          "fbclid", "ttclid", "twclid", "li_fat_id", "yclid"};

bool is_click_id(std::string_view name) {
  for (std::string_view known : kClickIds)
    if (name == known) return true;
  return false;
}

// The amount of a decimal text in millionths, exactly; digits beyond the sixth are cut. False when it is no decimal
// or does not fit.
bool parse_micros(std::string_view text, int64_t& micros) {
  bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  __int128 value = 0;
  int decimals = -1;
  bool digits = false;
  for (char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
    } else if (c >= '0' && c <= '9') {
      digits = true;
      if (decimals >= 6) continue;
      value = value * 10 + (c - '0');
      if (decimals >= 0) ++decimals;
      if (value > static_cast<__int128>(INT64_MAX)) return false;
    } else {
      return false;
    }
  }
  for (int i = decimals < 0 ? 0 : decimals; i < 6; ++i) value *= 10;
  if (!digits || value > static_cast<__int128>(INT64_MAX)) return false;
  micros = static_cast<int64_t>(negative ? -value : value);
  return true;
}
}  // namespace

namespace {
bool names_its_user(const event::Event& event) { return !event.user_id.empty() || !event.anonymous_id.empty(); }
}  // namespace

uint64_t visitor_of(const event::Event& event) {
  auto hash = [&](std::string_view id, uint64_t kind) {
    uint64_t value = XXH3_64bits_withSeed(id.data(), id.size(), number(event.project_id) ^ kind);
    return value == 0 ? 1 : value;
  };
  if (!event.user_id.empty()) return hash(event.user_id, 0x75736572);
  if (!event.anonymous_id.empty()) return hash(event.anonymous_id, 0x616e6f6e);
  return event.visitor == 0 ? 1 : event.visitor;
}

VisitEvent visit_event(const event::Row& row) {
  VisitEvent visit;
  visit.project = row.project_id;
  visit.visitor = row.visitor_id;
  visit.client_session = row.client_session_id;
  visit.time = row.time;
  visit.hash = event::event_hash(row);
  visit.kind = row.kind;
  visit.path = row.path;
  visit.acquisition = {row.source, row.channel, row.utm_campaign};
  return visit;
}

std::string_view apply_ip_policy(settings::IpPolicy policy, std::string_view ip, std::string& buffer) {
  if (policy == settings::IpPolicy::none || ip.empty() || ip.size() >= INET6_ADDRSTRLEN) return {};
  buffer.assign(ip);
  in_addr v4{};
  in6_addr v6{};
  char text[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET, buffer.c_str(), &v4) == 1) {
    if (policy == settings::IpPolicy::whole) return ip;
    buffer.replace(buffer.rfind('.') + 1, std::string::npos, "0");
    return buffer;
  }
  if (inet_pton(AF_INET6, buffer.c_str(), &v6) == 1) {
    if (policy == settings::IpPolicy::whole) return ip;
    std::memset(v6.s6_addr + 6, 0, 10);
    buffer = inet_ntop(AF_INET6, &v6, text, sizeof text);
    return buffer;
  }
  return {};
}

struct Enricher::State {
  event::Row row;
  simdjson::ondemand::parser parser;
  std::string json;               // the properties with the padding simdjson reads beyond
  std::deque<std::string> texts;  // decoded values of this event; a deque never moves them
  size_t texts_used = 0;
  std::string ip;
  Lookup lookup;

  // What the event says by itself.
  void begin(const event::Event& event, Place place);

  std::string& text() {
    if (texts_used == texts.size()) texts.emplace_back();
    std::string& t = texts[texts_used++];
    t.clear();
    return t;
  }

  std::string_view decoded(std::string_view value) {
    if (value.find_first_of("%+") == std::string_view::npos) return value;
    std::string& t = text();
    event::append_url_decoded(value, t);
    return t;
  }

  void read_url(std::string_view url) {
    event::UrlParts parts = event::split_url(url);
    if (row.hostname.empty()) row.hostname = parts.hostname;
    if (row.path.empty()) row.path = parts.path.empty() && !parts.hostname.empty() ? "/" : parts.path;
    event::for_each_parameter(parts.query, [&](std::string_view name, std::string_view value) {
      if (name.starts_with("utm_")) {
        std::string_view field = name.substr(4);
        if (field == "source")
          row.utm_source = decoded(value);
        else if (field == "medium")
          row.utm_medium = decoded(value);
        else if (field == "campaign")
          row.utm_campaign = decoded(value);
        else if (field == "term")
          row.utm_term = decoded(value);
        else if (field == "content")
          row.utm_content = decoded(value);
      } else if (row.click_id.empty() && !value.empty() && is_click_id(name)) {
        std::string& t = text();
        t.append(name).push_back(':');
        event::append_url_decoded(value, t);
        row.click_id = t;
      }
    });
  }

  void lower_hostname() {
    bool upper = false;
    for (char c : row.hostname) upper = upper || (c >= 'A' && c <= 'Z');
    if (!upper) return;
    std::string& t = text();
    for (char c : row.hostname) t.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
    row.hostname = t;
  }

  // Values become text: strings without quotes, numbers and booleans as JSON writes them, nested values as JSON,
  // null left out. Numbers stand once more as numbers.
  void read_properties(std::string_view properties) {
    if (properties.empty() || properties == "{}") return;
    json.assign(properties);
    json.reserve(json.size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    if (parser.iterate(json.data(), json.size(), json.capacity()).get(document) || document.get_object().get(object))
      return;
    for (auto field : object) {
      std::string_view key;
      simdjson::ondemand::value value;
      simdjson::ondemand::json_type type;
      if (field.unescaped_key().get(key) || field.value().get(value) || value.type().get(type)) return;
      switch (type) {
        case simdjson::ondemand::json_type::string: {
          std::string_view s;
          if (value.get_string().get(s)) return;
          row.properties.emplace_back(key, s);
          break;
        }
        case simdjson::ondemand::json_type::number: {
          std::string_view token = trim(value.raw_json_token());
          row.properties.emplace_back(key, token);
          double number = 0;
          auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
          if (error == std::errc() && end == token.data() + token.size()) row.numbers.emplace_back(key, number);
          break;
        }
        case simdjson::ondemand::json_type::boolean:
          row.properties.emplace_back(key, trim(value.raw_json_token()));
          break;
        case simdjson::ondemand::json_type::null:
          break;
        case simdjson::ondemand::json_type::object:
        case simdjson::ondemand::json_type::array: {
          std::string_view raw;
          if (simdjson::to_json_string(value).get(raw)) return;
          std::string& t = text();
          t.assign(trim(raw));
          row.properties.emplace_back(key, t);
          break;
        }
      }
    }
  }

  static std::string_view trim(std::string_view token) {
    while (!token.empty() &&
           (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
      token.remove_suffix(1);
    return token;
  }
};

Enricher::Enricher() : state_(std::make_unique<State>()) {}
Enricher::~Enricher() = default;

void Enricher::use(const std::shared_ptr<const Packs>& packs,
                   const std::shared_ptr<const settings::Snapshot>& settings) {
  state_->lookup.use(packs, settings);
}

void Enricher::State::begin(const event::Event& event, Place place) {
  auto properties = std::move(row.properties);
  auto numbers = std::move(row.numbers);
  row = event::Row();
  properties.clear();
  numbers.clear();
  row.properties = std::move(properties);
  row.numbers = std::move(numbers);
  texts_used = 0;

  row.project_id = event.project_id;
  row.id = event.id;
  row.name = event.name;
  row.time = event.time;
  row.received_at = event.received_at;
  row.time_rule = event.time_rule;
  row.kind = event.kind;
  row.user_id = event.user_id;
  row.anonymous_id = event.anonymous_id;
  row.client_session_id = event.client_session_id;
  row.hostname = event.hostname;
  row.path = event.path;
  row.title = event.title;
  row.referrer = event.referrer;
  row.locale = event.locale;
  row.screen = event.screen;
  row.app_version = event.app_version;
  row.sdk = event.sdk;
  row.p = place.p;
  row.o = place.o;
  if (!event.url.empty()) read_url(event.url);
  lower_hostname();
  read_properties(event.properties);
  row.has_revenue = !event.revenue_amount.empty() && parse_micros(event.revenue_amount, row.revenue_micros);
  if (row.has_revenue) row.revenue_currency = event.revenue_currency;
  row.visitor_id = visitor_of(event);
}

const event::Row& Enricher::enrich(const event::Event& event, Place place, settings::IpPolicy ip_policy,
                                   const settings::Secrets::Opened* personal) {
  State& s = *state_;
  s.begin(event, place);
  event::Row& row = s.row;
  s.lookup.find(circumstances_of(s.row, personal, names_its_user(event))).write(row);
  if (personal != nullptr) row.ip = apply_ip_policy(ip_policy, personal->ip, s.ip);
  return row;
}

const event::Row& Enricher::explain(const event::Event& event, const settings::Secrets::Opened* personal,
                                    const Findings*& why) {
  State& s = *state_;
  s.begin(event, {});
  why = &s.lookup.explain(circumstances_of(s.row, personal, names_its_user(event)));
  why->write(s.row);
  return s.row;
}

}  // namespace weir::enrich
