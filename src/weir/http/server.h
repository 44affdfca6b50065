#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "weir/base/clock.h"
#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/http/options.h"
#include "weir/http/router.h"

namespace weir::http {

// The listeners and their I/O threads. Public methods are confined to the owner (app), except where said.
class Server {
 public:
  // Keeps all references; they must outlive the server.
  static Result<std::unique_ptr<Server>> open(const Options& options, Clock& clock, metrics::Registry& registry);
  virtual ~Server() = default;

  // Binds HOST:PORT, one SO_REUSEPORT acceptor a thread, and answers by `router`, which must outlive the server.
  // Port 0 takes a free one. Returns the bound address as HOST:PORT.
  // Errors: kConflict (port taken: says by which option to change it), kBadInput (not an address), kForbidden.
  virtual Result<std::string> listen(const std::string& address, const Router& router) = 0;
  // Binds a Unix socket of mode 0600, replacing a stale one. Requests have from_owner set.
  virtual Result<> listen_unix(const std::string& path, const Router& router) = 0;
  // Starts the threads.
  virtual void start() = 0;
  // Stops accepting, answers what is under way with `Connection: close`, closes idle connections, waits up to
  // drain_timeout, then closes the rest and joins the threads. A handler that then still waits for another thread is
  // never resumed, but that thread may safely try as long as the server lives: end such threads before it.
  virtual void drain() = 0;
};

}  // namespace weir::http
