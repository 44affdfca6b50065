#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "weir/base/bytes.h"
#include "weir/base/options.h"

namespace weir::api {

struct Options {
  std::string listen;
  uint64_t threads = 4;
  uint64_t waiting_max = 64;
  uint64_t statement_bytes_max = 256 * KiB;
  uint64_t query_threads = 4;
  uint64_t query_waiting_max = 256;
  std::chrono::milliseconds query_timeout{60'000};
  std::chrono::milliseconds reader_timeout{15'000};
  uint64_t unread_bytes_max = 128 * MiB;
};

template <class Visitor>
void describe(Visitor& option, Options& o) {
  option(
      "listen", o.listen, any_value,
      "HOST:PORT of the API and the dashboards, to keep them off the public address; empty: the same as http.listen.");
  option("threads", o.threads, between(1, 64),
         "Statements of persons that wait for the store at once, each on a thread.");
  option("waiting_max", o.waiting_max, between(1, 10'000),
         "Most API requests waiting for one of those threads; beyond it they are answered 503.");
  option("statement_bytes_max", o.statement_bytes_max, between(1 * KiB, 4 * MiB), "Largest SQL statement of a person.");
  option("query_threads", o.query_threads, between(1, 64),
         "Questions of the dashboards and of /api/v1/query that the store works on at once, each on a thread.");
  option("query_waiting_max", o.query_waiting_max, between(1, 10'000),
         "Most of them waiting for one of those threads; beyond it they are answered 503.");
  option("query_timeout", o.query_timeout, between(100, 3'600'000), "Longest the store may work on one of them.");
  option("reader_timeout", o.reader_timeout, between(100, 600'000),
         "A statement waits for the reader of its answer, which must take 1 MiB within this or is cut off.");
  option("unread_bytes_max", o.unread_bytes_max, between(4 * MiB, 64 * GiB),
         "Most bytes of answers to questions and statements held for their readers; beyond it they are answered 503. A "
         "caller who has as much of it as is left is refused more, so that others find room.");
}

}  // namespace weir::api
