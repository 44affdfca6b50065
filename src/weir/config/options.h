#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "weir/api/options.h"
#include "weir/base/options.h"
#include "weir/collect/options.h"
#include "weir/enrich/options.h"
#include "weir/http/options.h"
#include "weir/journal/options.h"
#include "weir/load/options.h"
#include "weir/query/options.h"
#include "weir/settings/options.h"
#include "weir/store/options.h"

namespace weir::config {

// Options of the process as a whole, which belong to no room.
struct ServeOptions {
  std::vector<std::string> roles = {"collect", "load", "api"};
  bool new_journal = false;
  std::chrono::milliseconds drain_delay{0};
  std::chrono::seconds stall_timeout{30};
};
template <class Visitor>
void describe(Visitor& option, ServeOptions& o) {
  option("roles", o.roles, one_of({"collect", "load", "api"}), "What this process does.");
  option("new_journal", o.new_journal, any_value,
         "Begin a new journal in a data directory that has a store but lost its journal.");
  option("drain_delay", o.drain_delay, between(0, 600'000),
         "After the first signal to stop, /ready answers 503 for this long while requests are still taken. Behind a "
         "balancer: its check interval times the checks it needs, and a second.");
  option(
      "stall_timeout", o.stall_timeout, between(2, 86'400),
      "When a thread that answers requests or writes the journal stands still for this long, the process ends, to be "
      "started again. Waiting for a disk is no standing still.");
}

struct MetricsOptions {
  std::string listen = "127.0.0.1:9464";
};
template <class Visitor>
void describe(Visitor& option, MetricsOptions& o) {
  option("listen", o.listen, any_value, "HOST:PORT of GET /metrics; empty: none.");
}

struct LogOptions {
  std::string level = "info";
  std::string format = "text";
};
template <class Visitor>
void describe(Visitor& option, LogOptions& o) {
  option("level", o.level, one_of({"debug", "info", "warning", "error", "critical"}),
         "The least level that is written.");
  option("format", o.format, one_of({"text", "json"}), "One line of text, or one JSON object, a message.");
}

// The start-up options of every room. A fresh object holds the defaults, which the rooms own.
struct Options {
  ServeOptions serve;
  http::Options http;
  api::Options api;
  collect::Options collect;
  journal::Options journal;
  load::Options load;
  query::Options query;
  store::Options store;
  settings::Options settings;
  settings::PersonalOptions personal;
  enrich::PackOptions packs;
  MetricsOptions metrics;
  LogOptions log;
};

// Calls room(section, options of that section) for each: the one list of what is configurable.
template <class Room>
void for_each_room(Options& o, Room&& room) {
  room("serve", o.serve);
  room("http", o.http);
  room("api", o.api);
  room("collect", o.collect);
  room("journal", o.journal);
  room("journal", o.personal);
  room("load", o.load);
  room("query", o.query);
  room("store", o.store);
  room("settings", o.settings);
  room("packs", o.packs);
  room("metrics", o.metrics);
  room("log", o.log);
}

}  // namespace weir::config
