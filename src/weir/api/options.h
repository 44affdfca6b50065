#pragma once

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
}

}  // namespace weir::api
