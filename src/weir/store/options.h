#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "weir/base/bytes.h"
#include "weir/base/options.h"

namespace weir::store {

struct Options {
  std::string url;
  std::string user = "default";
  std::string password;
  std::string library;
  uint64_t memory_bytes = 0;
  std::chrono::milliseconds insert_timeout{120'000};
  std::chrono::milliseconds query_timeout_max{60'000};
  uint64_t user_queries_max = 4;
  bool allow_unconfined_sql = false;
};

template <class Visitor>
void describe(Visitor& option, Options& o) {
  option("url", o.url, any_value,
         "http://HOST:PORT or https://HOST:PORT of a ClickHouse server; empty: a private one, in the data directory.");
  option("user", o.user, any_value, "The account on that server.");
  option("password", o.password, any_value, "Its password.");
  option("library", o.library, any_value, "The private ClickHouse's libchdb.so; empty: where weir was installed.");
  option("memory_bytes", o.memory_bytes, between(0, 16.0 * 1024 * GiB),
         "Most memory of the private ClickHouse, at least 300 MiB; 0: a quarter of the machine's, 400 MiB to 4 GiB.");
  option("insert_timeout", o.insert_timeout, between(1'000, 3'600'000),
         "An insert without an answer after this is repeated.");
  option("query_timeout_max", o.query_timeout_max, between(1'000, 3'600'000), "Longest a person's statement may run.");
  option("user_queries_max", o.user_queries_max, between(1, 16), "Most statements of persons at once.");
  option("allow_unconfined_sql", o.allow_unconfined_sql, any_value,
         "Let persons run SQL although the kernel cannot keep the store's process from the machine's files.");
}

}  // namespace weir::store
