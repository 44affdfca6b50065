#include "load_driver/event_mix.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "weir/base/check.h"
#include "weir/base/json_writer.h"

namespace weir::bench {
namespace {

constexpr std::array kWords = {"analytics", "billing", "cloud",  "data",    "edge",    "fast",     "guide",
                               "how",       "index",   "json",   "kafka",   "latency", "metrics",  "notes",
                               "open",      "privacy", "query",  "release", "schema",  "tracking", "upgrade",
                               "vector",    "weekly",  "export", "zone"};
constexpr std::array kTopPages = {
    "/",         "/pricing",  "/docs",          "/blog",      "/login",   "/signup",  "/about",
    "/features", "/contact",  "/careers",       "/changelog", "/demo",    "/account", "/account/settings",
    "/cart",     "/checkout", "/checkout/done", "/search",    "/support", "/status"};
constexpr std::array kLocales = {"en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "pt-BR",
                                 "nl-NL", "ja-JP", "it-IT", "pl-PL", "sv-SE", "zh-CN"};
constexpr std::array kScreens = {"1920x1080", "1536x864",  "1440x900", "390x844", "393x852",
                                 "414x896",   "2560x1440", "1366x768", "360x800", "820x1180"};
constexpr std::array kReferrers = {"https://www.google.com/",   "https://www.bing.com/",   "https://t.co/",
                                   "https://www.linkedin.com/", "https://duckduckgo.com/", "https://www.reddit.com/r/"};
constexpr std::array kUserAgents = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 "
    "Edg/142.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 "
    "Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
};

// A small deterministic source for building the templates; the speed does not matter there.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() { return mix(state_++); }
  uint64_t below(uint64_t n) { return next() % n; }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  bool percent(unsigned p) { return below(100) < p; }
  // 0 to n - 1, the small ones often: what exp(uniform) gives.
  uint64_t zipf(uint64_t n) {
    return std::min(n - 1, static_cast<uint64_t>(std::exp(unit() * std::log(static_cast<double>(n) + 1))) - 1);
  }
  double exponential(double mean) { return -std::log(1 - unit()) * mean; }
  template <class T>
  auto& pick(const T& list) {
    return list[below(list.size())];
  }

 private:
  uint64_t state_;
};

const char* word(uint64_t page, uint64_t salt) { return kWords[mix(page * 8 + salt) % kWords.size()]; }

std::string page_path(uint64_t page) {
  if (page < kTopPages.size()) return kTopPages[page];
  constexpr std::array kSections = {"/blog/", "/docs/", "/products/", "/help/"};
  return fmt::format("{}{}-{}-{}-{}", kSections[page % 4], word(page, 1), word(page, 2), word(page, 3), page);
}

std::string page_title(uint64_t page) {
  return fmt::format("The {} of {} and {} | Example", word(page, 1), word(page, 2), word(page, 3));
}

constexpr uint64_t kPages = 20'000;

constexpr unsigned kCounterDigits = 12;
constexpr unsigned kUuidLength = 36;
constexpr unsigned kTimeLength = 24;  // 2026-11-20T09:01:00.123Z
constexpr unsigned kVisitorDigits = 8;
constexpr unsigned kAddressLength = 15;

void write_decimal(char* out, uint64_t value, unsigned width) {
  for (unsigned i = width; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

void write_hex(char* out, uint64_t value, unsigned width) {
  for (unsigned i = width; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
}

// A version 4 UUID, a function of the event's number.
void write_uuid(char* out, uint64_t seed, uint64_t event) {
  const uint64_t high = mix(seed ^ (event * 2));
  const uint64_t low = mix(seed ^ (event * 2 + 1));
  write_hex(out, high >> 32, 8);
  out[8] = '-';
  write_hex(out + 9, high >> 16, 4);
  out[13] = '-';
  out[14] = '4';
  write_hex(out + 15, high, 3);
  out[18] = '-';
  write_hex(out + 19, 0x8000 | ((low >> 48) & 0x3fff), 4);
  out[23] = '-';
  write_hex(out + 24, low, 12);
}

uint64_t prefix_seed(std::string_view prefix) {
  uint64_t seed = 0;
  for (const char c : prefix) seed = mix(seed ^ static_cast<unsigned char>(c));
  return seed;
}

}  // namespace

// Writes the templates: visits one after the other, cut into requests of `batch` events.
class RequestPool::Builder {
 public:
  explicit Builder(RequestPool& pool) : pool_(pool), o_(pool.options_), random_(o_.seed) {}

  void build() {
    if (!o_.body.empty()) {
      pool_.visits_ = std::max<uint64_t>(1, std::min<uint64_t>(o_.pool_events, 256));
      for (uint64_t i = 0; i < pool_.visits_; ++i) {
        begin_visit();
        event_ = o_.body;
        take_event();
      }
      return;
    }
    const uint32_t requests = std::max<uint32_t>(1, o_.pool_events / o_.batch);
    while (pool_.templates_.size() < requests) {
      begin_visit();
      const uint64_t length = visit_length();
      for (uint64_t k = 0; k < length && pool_.templates_.size() < requests; ++k) {
        // A single event happens as it is sent; in a batch a visit's events lie a few seconds apart.
        const uint64_t before_end =
            o_.batch == 1 && !o_.history ? 0 : (length - 1 - k) * gap_ms_ + random_.below(gap_ms_ / 2);
        event_.clear();
        slots_.clear();
        if (o_.mix == Mix::click) {
          write_click_of_the_readme(before_end);
        } else {
          write_web_event(k, before_end);
        }
        take_event();
      }
    }
    pool_.visits_ = visit_ + 1;
  }

 private:
  uint64_t visit_length() {
    if (o_.mix == Mix::click || random_.percent(42)) return 1;
    return std::min<uint64_t>(80, 2 + static_cast<uint64_t>(random_.exponential(3.6)));
  }

  void begin_visit() {
    if (begun_) ++visit_;
    begun_ = true;
    gap_ms_ = 3000 + static_cast<uint64_t>(random_.exponential(20'000));
    locale_ = random_.pick(kLocales);
    screen_ = random_.pick(kScreens);
    if (o_.user_agents.empty()) {
      user_agent_ = kUserAgents[random_.zipf(kUserAgents.size())];
    } else {
      user_agent_ = o_.user_agents[random_.below(o_.user_agents.size())];
    }
    named_ = random_.percent(9);
    experiment_ = random_.pick(std::array{"control", "a", "b"});
    plan_ = random_.pick(std::array{"free", "pro", "team"});
    theme_ = random_.pick(std::array{"light", "dark"});
    host_ = random_.pick(std::array{"www", "app", "docs", "www", "www"});
    version_ = fmt::format("2.{}.{}", 20 + random_.zipf(30), random_.below(3));
  }

  // The event text grows through these.
  void raw(std::string_view text) { event_.append(text); }
  void text_field(std::string_view key, std::string_view value) {
    append_json_key(event_, key);
    append_json_string(event_, value);
  }
  void slot(Kind kind, unsigned width, uint64_t arg) {
    slots_.push_back({static_cast<uint32_t>(event_.size()), kind, static_cast<uint8_t>(width),
                      static_cast<uint32_t>(visit_), static_cast<uint32_t>(arg)});
    event_.append(width, '0');
  }
  // A number of exactly `width` digits that differs from request to request.
  void number_field(std::string_view key, unsigned width) {
    append_json_key(event_, key);
    slot(Kind::digits, width, random_.next());
  }
  void id_field() {
    if (o_.ids == Ids::none) return;
    append_json_key(event_, "id");
    raw("\"");
    if (o_.ids == Ids::counter) {
      raw(o_.id_prefix + "-");
      slot(Kind::counter, kCounterDigits, in_request_);
    } else {
      slot(Kind::uuid, kUuidLength, in_request_);
    }
    raw("\"");
  }
  void time_field(uint64_t before_end_ms) {
    append_json_key(event_, "timestamp");
    raw("\"");
    slot(Kind::time, kTimeLength, before_end_ms);
    raw("\"");
  }
  // Single events come from browsers: most name nobody. A batch comes from a server, which names everybody.
  void visitor_field() {
    if (!named_ && o_.batch == 1) return;
    append_json_key(event_, named_ ? "user_id" : "anonymous_id");
    raw(named_ ? "\"u-" : "\"a-");
    slot(Kind::visitor, kVisitorDigits, 0);
    raw("\"");
  }

  void write_click_of_the_readme(uint64_t before_end_ms) {
    raw(R"({"type":"click","user_id":"1","session_id":"FaAa31")");
    id_field();
    time_field(before_end_ms);
    raw(R"(,"locale":"en","path":"/getting-started","appVersion":"0.0.1","details":{"meta_a":"meta_a","meta_b":"meta_b"}})");
  }

  void write_web_event(uint64_t k, uint64_t before_end_ms) {
    const uint64_t page = random_.zipf(kPages);
    const uint64_t dice = random_.below(1000);
    raw("{");
    if (k == 0 || dice < 580) {
      write_pageview(k == 0, page, before_end_ms);
    } else if (dice < 780) {
      write_head("click", before_end_ms);
      text_field("path", page_path(page));
      text_field("appVersion", version_);
      raw(R"(,"details":{)");
      text_field("element", random_.pick(std::array{"button", "a", "input", "div"}));
      text_field("text", fmt::format("cta {}", random_.zipf(400)));
      text_field("href", page_path(random_.zipf(2000)));
      number_field("x", 3);
      number_field("y", 4);
      text_field("theme", theme_);
      text_field("exp_home", experiment_);
      raw("}");
    } else if (dice < 920) {
      write_head("scroll", before_end_ms);
      text_field("url", page_url(page));
      raw(R"(,"details":{)");
      append_json_key(event_, "depth");
      raw(std::to_string(5 * (1 + random_.below(20))));
      number_field("active_ms", 5);
      number_field("lcp", 4);
      append_json_key(event_, "cls");
      raw(fmt::format("0.{:03}", random_.below(300)));
      number_field("inp", 3);
      raw("}");
    } else if (dice < 940) {
      write_head("purchase", before_end_ms);
      text_field("url", page_url(page));
      raw(fmt::format(R"(,"revenue":{{"amount":"{}.{:02}","currency":"{}"}})", 5 + random_.below(195),
                      random_.below(100), random_.pick(std::array{"USD", "EUR", "GBP"})));
      raw(R"(,"details":{)");
      number_field("order_id", 9);
      append_json_key(event_, "items");
      raw(std::to_string(1 + random_.below(6)));
      text_field("plan", plan_);
      text_field("coupon", random_.percent(20) ? fmt::format("C{}", random_.below(50)) : "");
      text_field("sku", fmt::format("sku-{}", random_.below(900)));
      append_json_key(event_, "gift");
      raw(random_.percent(10) ? "true" : "false");
      raw("}");
    } else {
      write_head(fmt::format("custom_{}", 1 + random_.zipf(40)), before_end_ms);
      text_field("url", page_url(page));
      raw(R"(,"details":{)");
      append_json_key(event_, "step");
      raw(std::to_string(random_.below(5)));
      text_field("plan", plan_);
      text_field("source", random_.pick(std::array{"nav", "footer", "modal", "email"}));
      number_field("value", 3);
      text_field("feature", fmt::format("f{}", random_.below(120)));
      append_json_key(event_, "team_size");
      raw(std::to_string(1 + random_.below(200)));
      text_field("theme", theme_);
      text_field("exp_home", experiment_);
      raw("}");
    }
    raw("}");
  }

  void write_head(std::string_view type, uint64_t before_end_ms) {
    text_field("type", type);
    id_field();
    time_field(before_end_ms);
    visitor_field();
    text_field("locale", locale_);
  }

  void write_pageview(bool landing, uint64_t page, uint64_t before_end_ms) {
    write_head("pageview", before_end_ms);
    std::string url = page_url(page);
    std::string referrer = page_url(random_.zipf(kPages));
    if (landing) {
      const uint64_t dice = random_.below(100);
      referrer.clear();
      if (dice >= 92) {
        const uint64_t paid = random_.below(4);
        url += fmt::format("?utm_source={}&utm_medium={}&utm_campaign=camp-{}-{}",
                           std::array{"google", "newsletter", "linkedin", "partner"}[paid],
                           std::array{"cpc", "email", "social", "referral"}[paid], random_.below(26), random_.below(6));
      } else if (dice >= 40) {
        referrer = kReferrers[random_.zipf(kReferrers.size())];
        if (random_.percent(35)) {
          const uint64_t site = random_.zipf(3000);
          referrer = fmt::format("https://{}-{}.example{}", word(site, 5), site,
                                 page_path(mix(site * 12 + random_.below(12)) % kPages));
        }
      }
    }
    text_field("url", url);
    if (!referrer.empty()) text_field("referrer", referrer);
    text_field("title", page_title(page));
    text_field("screen", screen_);
    raw(R"(,"details":{)");
    text_field("category", std::array{"marketing", "blog", "docs", "product", "help"}[page % 5]);
    text_field("author", fmt::format("author-{}", mix(page) % 40));
    number_field("load_ms", 3);
    text_field("theme", theme_);
    text_field("exp_home", experiment_);
    raw("}");
  }

  std::string page_url(uint64_t page) const { return fmt::format("https://{}.example.com{}", host_, page_path(page)); }

  // Puts the finished event into the request under way, and the request among the templates when it is full.
  void take_event() {
    if (in_request_ == 0) {
      body_.clear();
      body_slots_.clear();
      if (o_.batch > 1 && !o_.lines) body_ += '[';
    } else {
      body_ += o_.lines ? '\n' : ',';
    }
    for (Slot s : slots_) {
      s.offset += static_cast<uint32_t>(body_.size());
      body_slots_.push_back(s);
    }
    body_ += event_;
    if (++in_request_ < o_.batch && o_.body.empty()) return;
    if (o_.batch > 1 && !o_.lines && o_.body.empty()) body_ += ']';
    in_request_ = 0;
    Template t;
    t.bytes = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\nAccept-Language: {},en;q=0.8\r\n"
        "Content-Type: {}\r\nX-App: {}\r\n",
        o_.target, o_.host, user_agent_, locale_, o_.lines ? "application/x-ndjson" : "application/json", o_.project);
    for (const std::string& header : o_.headers) t.bytes += header + "\r\n";
    if (o_.addresses > 0) {
      t.bytes += "X-Forwarded-For: ";
      t.slots.push_back(
          {static_cast<uint32_t>(t.bytes.size()), Kind::address, kAddressLength, static_cast<uint32_t>(visit_), 0});
      t.bytes += std::string(kAddressLength, '0') + "\r\n";
    }
    // A compressed body has another length each time; compress() ends the head itself.
    if (!o_.gzip) t.bytes += fmt::format("Content-Length: {}\r\n\r\n", body_.size());
    t.body = t.bytes.size();
    for (Slot s : body_slots_) {
      s.offset += static_cast<uint32_t>(t.body);
      t.slots.push_back(s);
    }
    t.bytes += body_;
    pool_.largest_ = std::max(pool_.largest_, t.bytes.size() + 64);
    pool_.templates_.push_back(std::move(t));
  }

  RequestPool& pool_;
  const MixOptions& o_;
  Random random_;
  std::string event_;
  std::vector<Slot> slots_;
  std::string body_;
  std::vector<Slot> body_slots_;
  uint32_t in_request_ = 0;

  // The visit under way.
  bool begun_ = false;
  uint64_t visit_ = 0;
  uint64_t gap_ms_ = 3000;
  bool named_ = false;
  std::string locale_, screen_, user_agent_, experiment_, plan_, theme_, host_, version_;
};

RequestPool::RequestPool(const MixOptions& options) : options_(options), uuid_seed_(prefix_seed(options.id_prefix)) {
  Builder(*this).build();
  if (options_.gzip) {
    auto* stream = new z_stream{};
    // 15 + 16: a gzip wrapper. Level 1: the generator shares the machine with the server.
    WEIR_CHECK(deflateInit2(stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    deflate_ = stream;
  }
}

RequestPool::~RequestPool() {
  if (deflate_ == nullptr) return;
  auto* stream = static_cast<z_stream*>(deflate_);
  deflateEnd(stream);
  delete stream;
}

std::string_view RequestPool::request(uint64_t number, UnixMillis now) {
  Template& t = templates_[number % templates_.size()];
  fill(t, number, now);
  return options_.gzip ? compress(t) : std::string_view(t.bytes);
}

void RequestPool::fill(Template& t, uint64_t number, UnixMillis now) {
  const uint64_t round = number / templates_.size();
  const uint64_t first_event = number * batch();
  UnixMillis visit_end = now;
  if (options_.history) {
    const History& h = *options_.history;
    const double share =
        std::min(1.0, static_cast<double>(first_event) / static_cast<double>(std::max<uint64_t>(1, h.events)));
    visit_end = h.from + static_cast<UnixMillis>(share * static_cast<double>(h.to - h.from));
  }
  uint64_t salt = number;
  for (const Slot& s : t.slots) {
    char* at = t.bytes.data() + s.offset;
    switch (s.kind) {
      case Kind::counter:
        write_decimal(at, first_event + s.arg, s.width);
        break;
      case Kind::uuid:
        write_uuid(at, uuid_seed_, first_event + s.arg);
        break;
      case Kind::time:
        write_time(at, visit_end - static_cast<UnixMillis>(s.arg));
        break;
      case Kind::visitor:
        write_decimal(at, mix(options_.seed ^ (round * visits_ + s.visit)) % options_.users, s.width);
        break;
      case Kind::digits: {
        salt = mix(salt + s.arg);
        write_decimal(at, salt, s.width);
        if (*at == '0') *at = '1';  // JSON has no leading zeros
        break;
      }
      case Kind::address: {
        // Four numbers from 100 to 199, so that every address is as long as the next.
        uint64_t a = mix(mix(options_.seed + 1 + (round * visits_ + s.visit)) % options_.addresses);
        for (unsigned i = 0; i < 4; ++i, a /= 100) {
          at[4 * i] = '1';
          write_decimal(at + 4 * i + 1, a, 2);
          if (i < 3) at[4 * i + 3] = '.';
        }
        break;
      }
    }
  }
}

std::string_view RequestPool::compress(const Template& t) {
  auto* stream = static_cast<z_stream*>(deflate_);
  const std::string_view body = std::string_view(t.bytes).substr(t.body);
  // The body goes behind a space large enough for the head; the head is then put right before it.
  const size_t space = t.body + 80;
  compressed_.resize(space + deflateBound(stream, body.size()));
  WEIR_CHECK(deflateReset(stream) == Z_OK);
  stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream->avail_in = static_cast<uInt>(body.size());
  stream->next_out = reinterpret_cast<Bytef*>(compressed_.data() + space);
  stream->avail_out = static_cast<uInt>(compressed_.size() - space);
  WEIR_CHECK(deflate(stream, Z_FINISH) == Z_STREAM_END);
  const size_t length = stream->total_out;
  const std::string end = fmt::format("Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", length);
  const size_t begin = space - t.body - end.size();
  std::memcpy(compressed_.data() + begin, t.bytes.data(), t.body);
  std::memcpy(compressed_.data() + begin + t.body, end.data(), end.size());
  return std::string_view(compressed_).substr(begin, t.body + end.size() + length);
}

void RequestPool::write_time(char* out, UnixMillis t) {
  if (t / 1000 != second_) {
    second_ = t / 1000;
    second_text_ = format_rfc3339(second_ * 1000);
    WEIR_CHECK(second_text_.size() == kTimeLength);
  }
  std::memcpy(out, second_text_.data(), kTimeLength);
  write_decimal(out + 20, static_cast<uint64_t>(t % 1000), 3);
}

void RequestPool::append_id(std::string& out, uint64_t event) const {
  if (options_.ids == Ids::counter) {
    out += options_.id_prefix;
    out += '-';
    const size_t at = out.size();
    out.resize(at + kCounterDigits);
    write_decimal(out.data() + at, event, kCounterDigits);
  } else if (options_.ids == Ids::uuid) {
    const size_t at = out.size();
    out.resize(at + kUuidLength);
    write_uuid(out.data() + at, uuid_seed_, event);
  }
}

size_t RequestPool::mean_request() const {
  size_t sum = 0;
  for (const Template& t : templates_) sum += t.bytes.size();
  return sum / templates_.size();
}

}  // namespace weir::bench
