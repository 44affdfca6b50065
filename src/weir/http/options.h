#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/bytes.h"
#include "weir/base/options.h"

namespace weir::http {

struct Options {
  std::string listen = "0.0.0.0:8000";
  uint64_t threads = 0;
  uint64_t connections_max = 16'000;
  uint64_t header_bytes_max = 32 * KiB;
  uint64_t target_bytes_max = 16 * KiB;
  uint64_t in_flight_bytes_max = 128 * MiB;
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{75'000};
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds drain_timeout{20'000};
  std::vector<std::string> trusted_proxies;
  std::vector<std::string> origins;
};

template <class Visitor>
void describe(Visitor& option, Options& o) {
  option("listen", o.listen, any_value, "HOST:PORT of the public listener; an IPv6 host stands in brackets.");
  option("threads", o.threads, between(0, 256), "I/O threads, each with its own acceptor; 0: one a core.");
  option("connections_max", o.connections_max, between(1, 1'000'000),
         "Most open connections; beyond it accepting pauses.");
  option("header_bytes_max", o.header_bytes_max, between(1 * KiB, 256 * KiB),
         "Largest request line and headers together.");
  option("target_bytes_max", o.target_bytes_max, between(256, 128 * KiB), "Longest URL of a request.");
  option(
      "in_flight_bytes_max", o.in_flight_bytes_max, between(1 * MiB, 64 * GiB),
      "Most request bytes held at once; beyond it requests are answered 503 unread. A project that has as much of it "
      "as is left is refused more, so that others find room.");
  option("header_timeout", o.header_timeout, between(100, 600'000),
         "A request's headers must have arrived within this.");
  option("body_timeout", o.body_timeout, between(100, 3'600'000), "A request's body must have arrived within this.");
  option("idle_timeout", o.idle_timeout, between(100, 3'600'000),
         "A kept-alive connection is closed after this silence.");
  option("write_timeout", o.write_timeout, between(100, 3'600'000),
         "A peer must take each piece of an answer within this.");
  option("drain_timeout", o.drain_timeout, between(0, 600'000), "Requests under way at a stop get this long.");
  option("trusted_proxies", o.trusted_proxies, any_value,
         "Addresses or networks (CIDR) whose X-Forwarded-For and X-Forwarded-Proto are believed.");
  option("origins", o.origins, any_value, "Origins that may call /api and /ui from a page of theirs.");
}

}  // namespace weir::http
