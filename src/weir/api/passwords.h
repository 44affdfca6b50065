#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "weir/api/workers.h"
#include "weir/base/result.h"

namespace weir::api {

// Hashes passwords by argon2id: 32 MiB and three passes each, on one thread of its own, "api-passwords", at a low
// priority: however many people sign in, that is all the memory and the one core it takes, and collecting comes first.
// Thread-safe. Full: kOverloaded once 32 wait.
class Passwords {
 public:
  Passwords();

  // As libsodium writes it, with its salt and costs.
  boost::asio::awaitable<Result<std::string>> hash(std::string password);
  // Whether `hash` was made of `password`. An empty hash takes as long as any, and fits nothing: so nobody learns by
  // the time whether there is an account.
  boost::asio::awaitable<Result<bool>> verify(std::string hash, std::string password);

  void stop() { workers_.stop(); }

 private:
  std::string nobodys_;  // the hash of a password that nobody knows
  Workers workers_;
};

}  // namespace weir::api
