#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/result.h"
#include "weir/store/options.h"

namespace weir::store {

// Where the store's server answers at the moment, and how to speak to it.
struct Endpoint {
  std::string url;                                           // "http://127.0.0.1:18123", without a path
  std::vector<std::pair<std::string, std::string>> headers;  // sent with every request
  std::string proof;  // every answer of the server must carry this as X-Weir-Proof; empty: it proves nothing
  // The password of the engine's readers (engine/config.h), or empty where there are none.
  std::string reader_password;
  uint64_t start = 0;  // how many times the server was started, as far as we know
};

// Gives the present endpoint. Thread-safe; never blocks.
class Endpoints {
 public:
  virtual ~Endpoints() = default;
  // Errors: kUnavailable (not up at the moment; the message says why).
  virtual Result<Endpoint> endpoint() const = 0;
  // Why the server's process could read files it should not, or empty when it cannot.
  virtual std::string unconfined() const = 0;
};

// The server of options.url, which somebody else runs: there is always an endpoint.
// Errors: kBadInput (the url).
Result<std::unique_ptr<Endpoints>> fixed_endpoint(const Options& options);

}  // namespace weir::store
