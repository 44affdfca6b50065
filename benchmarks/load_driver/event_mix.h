#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/result.h"

namespace weir::bench {

// Finalizer of SplitMix64: spreads a counter over 64 bits.
constexpr uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

enum class Mix : uint8_t { web, click };
enum class Ids : uint8_t { none, counter, uuid };

// The events carry times that move evenly from `from` to `to` while `events` of them are sent.
struct History {
  UnixMillis from = 0;
  UnixMillis to = 0;
  uint64_t events = 0;
};

struct MixOptions {
  std::string host = "127.0.0.1";
  std::string target = "/";
  std::string project = "website";
  std::vector<std::string> headers;      // whole lines, "Name: value"
  std::vector<std::string> user_agents;  // one is taken for each visit; empty: a small list of current browsers
  Mix mix = Mix::web;
  std::string body;    // when given it is sent as it stands instead of events
  uint32_t batch = 1;  // events a request; 1: a single object, more: an array
  bool lines = false;  // newline-delimited objects instead of an array
  Ids ids = Ids::none;
  std::string id_prefix = "load";
  uint64_t users = 100'000;  // distinct visitors that name themselves
  uint64_t addresses = 0;    // distinct X-Forwarded-For values; 0: none are sent
  bool gzip = false;
  uint32_t pool_events = 4096;  // different events prepared beforehand
  uint64_t seed = 1;
  std::optional<History> history;  // absent: events happen now
};

// Prepared requests. What differs from one request to the next (ids, times, visitors, some numbers) has fixed places
// of fixed width in them and is written there just before a request is sent, so a request costs well under a
// microsecond. The web mix is visits of 1 to 80 events (3.4 on average) like those of a content site with a shop:
// Zipf-distributed pages, a referrer or campaign on the landing page, clicks, scrolls, purchases, 5 to 8 details each.
//
// The same options and number always give the same request, but for the current time. Confined to one thread.
class RequestPool {
 public:
  explicit RequestPool(const MixOptions& options);
  RequestPool(const RequestPool&) = delete;
  RequestPool& operator=(const RequestPool&) = delete;
  ~RequestPool();

  // The bytes of request `number`, head and body. Valid until the next call.
  std::string_view request(uint64_t number, UnixMillis now);

  // The id that event `event` carries; request n holds events n * batch to (n + 1) * batch - 1.
  void append_id(std::string& out, uint64_t event) const;
  bool has_ids() const { return options_.ids != Ids::none && options_.body.empty(); }
  uint32_t batch() const { return options_.body.empty() ? options_.batch : 1; }
  size_t largest_request() const { return largest_; }
  size_t mean_request() const;

 private:
  enum class Kind : uint8_t { counter, uuid, time, visitor, digits, address };
  struct Slot {
    uint32_t offset;  // in the template
    Kind kind;
    uint8_t width;
    uint32_t visit;  // whose visitor or address
    uint32_t arg;    // counter, uuid: index in the request; time: milliseconds before the visit's end; else a salt
  };
  struct Template {
    std::string bytes;
    size_t body = 0;  // where it begins
    std::vector<Slot> slots;
  };
  class Builder;

  void fill(Template& request, uint64_t number, UnixMillis now);
  std::string_view compress(const Template& request);
  void write_time(char* out, UnixMillis t);

  const MixOptions options_;
  const uint64_t uuid_seed_;
  std::vector<Template> templates_;
  uint64_t visits_ = 0;  // in one round through the templates
  size_t largest_ = 0;
  int64_t second_ = -1;  // that second_text_ shows
  std::string second_text_;
  std::string compressed_;
  void* deflate_ = nullptr;  // z_stream
};

}  // namespace weir::bench
